"""Path operations."""

from fastapi import APIRouter, HTTPException

from . import crud, schemas
from .database import Db
from .document import EMAIL_TAKEN, Route
from .fastapi_peewee import ForeignKeyViolation, Page, PageQuery, UniqueViolation
from .fields import Id
from .hashing import HashedChanges, HashedUser
from .models import Item, User

# A Route makes the JSON of what a path operation returns, by its response model.
users = APIRouter(route_class=Route, tags=["users"])
items = APIRouter(route_class=Route, tags=["items"])
deletions = APIRouter(route_class=Route, tags=["deletions"])
# /docs goes by the order of paths: an item is deleted before its user is.
routers = (items, users, deletions)


@users.post("/users/", response_model=schemas.User, responses=EMAIL_TAKEN)
def create_user(user: HashedUser, db: Db) -> User:
    """Create a user. The email must not be registered yet."""
    try:
        return crud.create_user(user=user)
    except UniqueViolation:
        raise HTTPException(400, "Email already registered") from None


@users.get("/users/", response_model=list[schemas.User])
def read_users(page: Page, db: Db) -> PageQuery:
    """List users with their items, ordered by id."""
    return page.of(crud.get_users())


@users.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: Id, db: Db) -> User:
    """Read one user, with the user's items."""
    db_user = crud.get_user(user_id=user_id)
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@users.patch("/users/{user_id}", response_model=schemas.User, responses=EMAIL_TAKEN)
def update_user(user_id: Id, changes: HashedChanges, db: Db) -> User:
    """Change the given fields of a user; the others stay as they are."""
    try:
        db_user = crud.update_user(user_id=user_id, changes=changes)
    except UniqueViolation:
        raise HTTPException(400, "Email already registered") from None
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@items.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: Id, item: schemas.ItemCreate, db: Db) -> Item:
    """Create an item that belongs to the user."""
    try:
        return crud.create_user_item(item=item, user_id=user_id)
    except ForeignKeyViolation:
        raise HTTPException(404, "User not found") from None


@items.get("/users/{user_id}/items/", response_model=list[schemas.Item])
def read_items_of_user(user_id: Id, page: Page, db: Db) -> PageQuery:
    """List the items of one user, ordered by id."""
    if crud.get_user(user_id=user_id) is None:
        raise HTTPException(404, "User not found")
    return page.of(crud.get_items(owner_id=user_id))


@items.get("/items/", response_model=list[schemas.Item])
def read_items(page: Page, db: Db) -> PageQuery:
    """List items, ordered by id."""
    return page.of(crud.get_items())


@items.get("/items/{item_id}", response_model=schemas.Item)
def read_item(item_id: Id, db: Db) -> Item:
    """Read one item."""
    db_item = crud.get_item(item_id=item_id)
    if db_item is None:
        raise HTTPException(404, "Item not found")
    return db_item


@items.patch("/items/{item_id}", response_model=schemas.Item)
def update_item(item_id: Id, item: schemas.ItemUpdate, db: Db) -> Item:
    """Change the given fields of an item; the others stay as they are."""
    db_item = crud.update_item(item_id=item_id, changes=item.model_dump())
    if db_item is None:
        raise HTTPException(404, "Item not found")
    return db_item


@deletions.delete("/items/{item_id}", status_code=204)
def delete_item(item_id: Id, db: Db) -> None:
    """Delete an item."""
    if not crud.delete_item(item_id=item_id):
        raise HTTPException(404, "Item not found")


@deletions.delete("/users/{user_id}", status_code=204)
def delete_user(user_id: Id, db: Db) -> None:
    """Delete a user with all of the user's items."""
    if not crud.delete_user(user_id=user_id):
        raise HTTPException(404, "User not found")
