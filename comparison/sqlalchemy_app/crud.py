"""Every query of the app."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import models, schemas


def get_user(db: Session, user_id: int) -> models.User | None:
    """Return the user, or None."""
    return db.scalars(select(models.User).where(models.User.id == user_id)).first()


def get_user_by_email(db: Session, email: str) -> models.User | None:
    """Return the user with exactly this email, or None."""
    return db.scalars(select(models.User).where(models.User.email == email)).first()


def get_users(db: Session, skip: int = 0, limit: int = 100) -> list[models.User]:
    """Return at most `limit` users, from position `skip` on."""
    return list(db.scalars(select(models.User).offset(skip).limit(limit)))


def create_user(db: Session, user: schemas.UserCreate) -> models.User:
    """Create a user. Like the tutorial's, it does not really hash the password."""
    fake_hashed_password = user.password + "notreallyhashed"
    db_user = models.User(email=user.email, hashed_password=fake_hashed_password)
    db.add(db_user)
    db.commit()
    db.refresh(db_user)
    return db_user


def get_items(db: Session, skip: int = 0, limit: int = 100) -> list[models.Item]:
    """Return at most `limit` items, from position `skip` on."""
    return list(db.scalars(select(models.Item).offset(skip).limit(limit)))


def create_user_item(
    db: Session, item: schemas.ItemCreate, user_id: int
) -> models.Item:
    """Create an item."""
    db_item = models.Item(**item.model_dump(), owner_id=user_id)
    db.add(db_item)
    db.commit()
    db.refresh(db_item)
    return db_item
