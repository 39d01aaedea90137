"""The path operations."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, HTTPException, Path
from fastapi.openapi.models import Example
from peewee import IntegrityError

from . import crud, schemas
from .database import Db
from .document import EMAIL_TAKEN, ITEM_LINKS, USER_LINKS
from .fastapi_peewee import Id, Page, PageQuery, PeeweeRoute
from .hashing import ChangedUser, HashedUser
from .models import Item, User
from .web.openapi import BODY, errors, page_responses

# It makes the JSON of what a path operation returns, by its response model.
router = APIRouter(route_class=PeeweeRoute)

T = TypeVar("T")

FIRST: dict[str, Example] = {"first": {"summary": "The first", "value": 1}}
UserId = Annotated[Id, Path(openapi_examples=FIRST)]
ItemId = Annotated[Id, Path(openapi_examples=FIRST)]

# How often a write is tried that others keep getting in the way of.
ATTEMPTS = 10


def write(action: Callable[[], T], refusal: Callable[[], HTTPException | None]) -> T:
    """What the action returns, after `refusal` is asked why the database refuses it.

    If there is no reason any more, somebody has removed it since: it is done again.
    """
    for _ in range(ATTEMPTS):
        try:
            return action()
        except IntegrityError:
            if reason := refusal():
                raise reason from None
    return action()


def email_taken(email: str) -> HTTPException | None:
    """The error for a user whose email another user has."""
    if crud.get_user_by_email(email) is None:
        return None
    return HTTPException(400, "Email already registered")


def owner_missing(user_id: int) -> HTTPException | None:
    """The error for an item whose owner there is not."""
    return (
        HTTPException(404, "User not found") if crud.get_user(user_id) is None else None
    )


# Dependencies run in the order of the parameters: first the hash, then the database.
@router.post(
    "/users/",
    response_model=schemas.User,
    tags=["users"],
    responses=errors(*BODY, 503) | EMAIL_TAKEN | {200: {"links": USER_LINKS}},
)
def create_user(user: HashedUser, db: Db) -> User:
    """Create a user. The email must not be registered yet."""
    return write(lambda: crud.create_user(user=user), lambda: email_taken(user.email))


@router.get(
    "/users/",
    response_model=list[schemas.User],
    tags=["users"],
    responses=page_responses(),
)
def read_users(page: Page, db: Db) -> PageQuery:
    """List users with their items, ordered by id."""
    return page.of(crud.get_users())


@router.get(
    "/users/{user_id}",
    response_model=schemas.User,
    tags=["users"],
    responses=errors(404, 503),
)
def read_user(user_id: UserId, db: Db) -> User:
    """Read one user, with the user's items."""
    db_user = crud.get_user(user_id=user_id)
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@router.patch(
    "/users/{user_id}",
    response_model=schemas.User,
    tags=["users"],
    responses=errors(*BODY, 404, 503) | EMAIL_TAKEN,
)
def update_user(user_id: UserId, user: ChangedUser, db: Db) -> User:
    """Change the given fields of a user; the others stay as they are."""
    db_user = write(
        lambda: crud.update_user(user_id=user_id, user=user),
        lambda: email_taken(user.email),
    )
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@router.delete(
    "/users/{user_id}", status_code=204, tags=["users"], responses=errors(404, 503)
)
def delete_user(user_id: UserId, db: Db) -> None:
    """Delete a user with all of the user's items."""
    if not crud.delete_user(user_id=user_id):
        raise HTTPException(404, "User not found")


@router.post(
    "/users/{user_id}/items/",
    response_model=schemas.Item,
    tags=["items"],
    responses=errors(*BODY, 404, 503) | {200: {"links": ITEM_LINKS}},
)
def create_item_for_user(user_id: UserId, item: schemas.ItemCreate, db: Db) -> Item:
    """Create an item that belongs to the user."""
    return write(
        lambda: crud.create_user_item(item=item, user_id=user_id),
        lambda: owner_missing(user_id),
    )


@router.get(
    "/users/{user_id}/items/",
    response_model=list[schemas.Item],
    tags=["items"],
    responses=page_responses() | errors(404),
)
def read_items_of_user(user_id: UserId, page: Page, db: Db) -> PageQuery:
    """List the items of one user, ordered by id."""
    if missing := owner_missing(user_id):
        raise missing
    return page.of(crud.get_items(owner_id=user_id))


@router.get(
    "/items/",
    response_model=list[schemas.Item],
    tags=["items"],
    responses=page_responses(),
)
def read_items(page: Page, db: Db) -> PageQuery:
    """List items, ordered by id."""
    return page.of(crud.get_items())


@router.get(
    "/items/{item_id}",
    response_model=schemas.Item,
    tags=["items"],
    responses=errors(404, 503),
)
def read_item(item_id: ItemId, db: Db) -> Item:
    """Read one item."""
    db_item = crud.get_item(item_id=item_id)
    if db_item is None:
        raise HTTPException(404, "Item not found")
    return db_item


@router.patch(
    "/items/{item_id}",
    response_model=schemas.Item,
    tags=["items"],
    responses=errors(*BODY, 404, 503),
)
def update_item(item_id: ItemId, item: schemas.ItemUpdate, db: Db) -> Item:
    """Change the given fields of an item; the others stay as they are."""
    db_item = crud.update_item(item_id=item_id, item=item)
    if db_item is None:
        raise HTTPException(404, "Item not found")
    return db_item


@router.delete(
    "/items/{item_id}", status_code=204, tags=["items"], responses=errors(404, 503)
)
def delete_item(item_id: ItemId, db: Db) -> None:
    """Delete an item."""
    if not crud.delete_item(item_id=item_id):
        raise HTTPException(404, "Item not found")
