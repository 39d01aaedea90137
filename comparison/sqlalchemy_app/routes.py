"""Path operations."""

from fastapi import APIRouter, HTTPException

from . import crud, models, schemas
from .database import Db

router = APIRouter()


@router.post("/users/", response_model=schemas.User)
def create_user(user: schemas.UserCreate, db: Db) -> models.User:
    """Create a user. The email must not be registered yet."""
    if crud.get_user_by_email(db, email=user.email):
        raise HTTPException(400, "Email already registered")
    return crud.create_user(db, user=user)


@router.get("/users/", response_model=list[schemas.User])
def read_users(db: Db, skip: int = 0, limit: int = 100) -> list[models.User]:
    """List users with their items."""
    return crud.get_users(db, skip=skip, limit=limit)


@router.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int, db: Db) -> models.User:
    """Read one user, with the user's items."""
    db_user = crud.get_user(db, user_id=user_id)
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: int, item: schemas.ItemCreate, db: Db) -> models.Item:
    """Create an item that belongs to the user."""
    return crud.create_user_item(db, item=item, user_id=user_id)


@router.get("/items/", response_model=list[schemas.Item])
def read_items(db: Db, skip: int = 0, limit: int = 100) -> list[models.Item]:
    """List items."""
    return crud.get_items(db, skip=skip, limit=limit)
