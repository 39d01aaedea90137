"""Every query of the app. Models carry their database, so none is passed around.

`prepared` keeps the SQL that Peewee builds for a query, and `prepared_first` also takes
its first row. The function is plain Peewee either way.
"""

from typing import Any

from peewee import Load, ModelSelect

from . import schemas
from .database import db
from .fastapi_peewee import prepared, prepared_first
from .models import Item, User


@prepared_first
def get_user(user_id: int) -> "ModelSelect[User]":
    """Return the user, or None."""
    return User.select().where(User.id == user_id)


@prepared_first
def get_user_by_email(email: str) -> "ModelSelect[User]":
    """Return the user with exactly this email, or None."""
    return User.select().where(User.email == email)


@prepared
def get_users(skip: int = 0, limit: int = 100) -> "ModelSelect[User]":
    """Return `limit` users in the order of their ids, without the first `skip`."""
    return User.select().order_by(User.id).offset(skip).limit(limit)


def create_user(user: schemas.UserInDB) -> User:
    """Create a user. Raises UniqueViolation if the email is taken."""
    return User.create(**user.model_dump())


def lock_user(user_id: int) -> User | None:
    """Return the user, or None, and lock it until the transaction ends.

    SQLite has no lock for a row: there, the transaction locks the database.
    """
    user = User.select().where(User.id == user_id).for_update(db.for_update)
    return user.get_or_none()


@db.atomic()
def update_user(user_id: int, changes: dict[str, Any]) -> User | None:
    """Change these columns of the user, and return the user with all items, or None.

    User and items are of the same moment.
    Raises UniqueViolation if the email is taken.
    """
    if lock_user(user_id) is None:
        return None
    if changes:
        User.update(changes).where(User.id == user_id).execute()
    items = Load(User.items, Item.select().order_by(Item.id))
    return User.select().where(User.id == user_id).with_related(items).get()


@db.atomic()
def delete_user(user_id: int) -> bool:
    """Delete the user with all items. Return False if there is no such user."""
    if lock_user(user_id) is None:
        return False
    Item.delete().where(Item.owner == user_id).execute()
    return bool(User.delete_by_id(user_id))


@prepared_first
def get_item(item_id: int) -> "ModelSelect[Item]":
    """Return the item, or None."""
    return Item.select().where(Item.id == item_id)


@prepared
def get_items(
    skip: int = 0, limit: int = 100, owner_id: int | None = None
) -> "ModelSelect[Item]":
    """Return `limit` items in the order of their ids, without the first `skip`.

    With `owner_id`, only those of one user.
    """
    items = Item.select().order_by(Item.id).offset(skip).limit(limit)
    return items if owner_id is None else items.where(Item.owner == owner_id)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """Create an item. Raises ForeignKeyViolation if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)


@db.atomic()
def update_item(item_id: int, changes: dict[str, Any]) -> Item | None:
    """Change these columns of the item, and return the item, or None."""
    if changes:
        Item.update(changes).where(Item.id == item_id).execute()
    return get_item(item_id)


def delete_item(item_id: int) -> bool:
    """Delete the item. Return False if there is no such item."""
    return bool(Item.delete_by_id(item_id))
