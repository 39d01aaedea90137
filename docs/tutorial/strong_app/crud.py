from collections.abc import Iterable

from pwdlib import PasswordHash

from . import models, schemas

password_hash = PasswordHash.recommended()


def get_user(user_id: int) -> models.User | None:
    return models.User.get_or_none(models.User.id == user_id)


def get_user_by_email(email: str) -> models.User | None:
    return models.User.get_or_none(models.User.email == email)


def get_users(skip: int = 0, limit: int = 100) -> Iterable[models.User]:
    return models.User.select().order_by(models.User.id).offset(skip).limit(limit)


def get_items(skip: int = 0, limit: int = 100) -> Iterable[models.Item]:
    return models.Item.select().order_by(models.Item.id).offset(skip).limit(limit)


def create_user(user: schemas.UserCreate) -> models.User:
    hashed_password = password_hash.hash(user.password)
    return models.User.create(email=user.email, hashed_password=hashed_password)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> models.Item:
    return models.Item.create(**item.model_dump(), owner_id=user_id)
