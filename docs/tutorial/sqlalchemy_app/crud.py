from collections.abc import Sequence

from pwdlib import PasswordHash
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import models, schemas

password_hash = PasswordHash.recommended()


def get_user(db: Session, user_id: int) -> models.User | None:
    return db.get(models.User, user_id)


def get_user_by_email(db: Session, email: str) -> models.User | None:
    return db.scalar(select(models.User).where(models.User.email == email))


def get_users(db: Session, skip: int = 0, limit: int = 100) -> Sequence[models.User]:
    users = select(models.User).order_by(models.User.id).offset(skip).limit(limit)
    return db.scalars(users).all()


def get_items(db: Session, skip: int = 0, limit: int = 100) -> Sequence[models.Item]:
    items = select(models.Item).order_by(models.Item.id).offset(skip).limit(limit)
    return db.scalars(items).all()


def create_user(db: Session, user: schemas.UserCreate) -> models.User:
    hashed_password = password_hash.hash(user.password)
    db_user = models.User(email=user.email, hashed_password=hashed_password)
    db.add(db_user)
    db.commit()
    db.refresh(db_user)
    return db_user


def create_user_item(
    db: Session, item: schemas.ItemCreate, user_id: int
) -> models.Item:
    db_item = models.Item(**item.model_dump(), owner_id=user_id)
    db.add(db_item)
    db.commit()
    db.refresh(db_item)
    return db_item
