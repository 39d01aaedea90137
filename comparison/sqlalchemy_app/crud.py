"""Every query of the app."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from . import models, schemas


def _select_users(db: Session) -> Select[models.User]:
    """Users; tuned, with the items of all of them in one more query."""
    users = select(models.User)
    return users.options(selectinload(models.User.items)) if _tuned(db) else users


def _tuned(db: Session) -> bool:
    return bool(db.info["tuned"])


def _save(db: Session, row: models.User | models.Item) -> None:
    """Write the row, and know the id that it was given."""
    db.add(row)
    db.commit()
    if not _tuned(db):
        db.refresh(row)


def get_user(db: Session, user_id: int) -> models.User | None:
    """The user, or None."""
    return db.scalars(_select_users(db).where(models.User.id == user_id)).first()


def get_user_by_email(db: Session, email: str) -> models.User | None:
    """The user with exactly this email, or None."""
    return db.scalars(_select_users(db).where(models.User.email == email)).first()


def get_users(db: Session, skip: int = 0, limit: int = 100) -> list[models.User]:
    """At most `limit` users, from the one at position `skip` on."""
    return list(db.scalars(_select_users(db).offset(skip).limit(limit)))


def create_user(db: Session, user: schemas.UserCreate) -> models.User:
    """The new user. As in the tutorial, the password is not really hashed."""
    fake_hashed_password = user.password + "notreallyhashed"
    db_user = models.User(email=user.email, hashed_password=fake_hashed_password)
    _save(db, db_user)
    return db_user


def get_items(db: Session, skip: int = 0, limit: int = 100) -> list[models.Item]:
    """At most `limit` items, from the one at position `skip` on."""
    return list(db.scalars(select(models.Item).offset(skip).limit(limit)))


def create_user_item(
    db: Session, item: schemas.ItemCreate, user_id: int
) -> models.Item:
    """The new item."""
    db_item = models.Item(**item.model_dump(), owner_id=user_id)
    _save(db, db_item)
    return db_item
