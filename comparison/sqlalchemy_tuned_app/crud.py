"""Queries that differ from the tutorial's."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..sqlalchemy_app import schemas
from ..sqlalchemy_app.models import Item, User

Row = TypeVar("Row", User, Item)

# With the items of all users in one more query.
USERS = select(User).options(selectinload(User.items))


def get_user(db: Session, user_id: int) -> User | None:
    """Return the user, or None."""
    return db.scalars(USERS.where(User.id == user_id)).first()


def get_users(db: Session, skip: int = 0, limit: int = 100) -> list[User]:
    """Return at most `limit` users, from position `skip` on."""
    return list(db.scalars(USERS.offset(skip).limit(limit)))


def create_user(db: Session, user: schemas.UserCreate) -> User:
    """Create a user. Like the tutorial's, it does not really hash the password."""
    fake_hashed_password = user.password + "notreallyhashed"
    return _save(db, User(email=user.email, hashed_password=fake_hashed_password))


def create_user_item(db: Session, item: schemas.ItemCreate, user_id: int) -> Item:
    """Create an item."""
    return _save(db, Item(**item.model_dump(), owner_id=user_id))


def _save(db: Session, row: Row) -> Row:
    """Write the row without reading it back: the session does not expire it."""
    db.add(row)
    db.commit()
    return row
