"""Every query of the app. Models carry their database, so none is passed around.

One user or item is a model instance. A page of them is rows, just as the driver gives
them: to make instances costs several times as much, and they would be read only once.
"""

from collections import defaultdict
from typing import Any

from peewee import ModelSelect

from . import schemas
from .database import db
from .models import Item, User

Row = dict[str, Any]

# What a page shows of a user: the password hash stays in the database.
USER_COLUMNS = (User.id, User.email, User.is_active)


def _rows(query: "ModelSelect[Any]") -> list[Row]:
    cursor = db.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def get_user(user_id: int) -> User | None:
    """The user, or None."""
    return User.get_or_none(User.id == user_id)


def get_user_by_email(email: str) -> User | None:
    """The user with exactly this email, or None."""
    return User.get_or_none(User.email == email)


def get_users(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    Each has its list of `items`. That is two queries, for any number of users.
    """
    page = User.select(*USER_COLUMNS).order_by(User.id).offset(skip).limit(limit)
    users = _rows(page)
    if not users:
        return []
    # The page has every user between its first and its last.
    owners = Item.owner.between(users[0]["id"], users[-1]["id"])
    items: defaultdict[int, list[Row]] = defaultdict(list)
    for item in _rows(Item.select().where(owners).order_by(Item.owner, Item.id)):
        items[item["owner_id"]].append(item)
    return [{**user, "items": items[user["id"]]} for user in users]


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def get_items(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on."""
    return _rows(Item.select().order_by(Item.id).offset(skip).limit(limit))


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)
