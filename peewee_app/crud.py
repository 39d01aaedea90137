"""Every query of the app. Models carry their database, so none is passed around."""

from peewee import PREFETCH_TYPE, Load, ModelSelect

from . import models, schemas


def _select_users() -> "ModelSelect[models.User]":
    """Users by id with their items, in two queries for any number of users."""
    items = models.Item.select().order_by(models.Item.id)
    # MATERIALIZE asks for the items of the very users that the first query found.
    load_items = Load(models.User.items, items, strategy=PREFETCH_TYPE.MATERIALIZE)
    return models.User.select().order_by(models.User.id).with_related(load_items)


def get_user(user_id: int) -> models.User | None:
    """The user, or None."""
    return _select_users().where(models.User.id == user_id).get_or_none()


def get_user_by_email(email: str) -> models.User | None:
    """The user with exactly this email, or None."""
    return _select_users().where(models.User.email == email).get_or_none()


def get_users(skip: int = 0, limit: int = 100) -> list[models.User]:
    """At most `limit` users, ordered by id, from the one at position `skip` on."""
    return list(_select_users().offset(skip).limit(limit))


def create_user(user: schemas.UserCreate) -> models.User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return models.User.create(email=user.email, hashed_password=user.hashed_password)


def get_items(skip: int = 0, limit: int = 100) -> list[models.Item]:
    """At most `limit` items, ordered by id, from the one at position `skip` on."""
    items = models.Item.select().order_by(models.Item.id)
    return list(items.offset(skip).limit(limit))


def create_user_item(item: schemas.ItemCreate, user_id: int) -> models.Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return models.Item.create(**item.model_dump(), owner=user_id)
