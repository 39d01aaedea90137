"""Every query of the app. Models carry their database, so none is passed around.

One user or item is a model instance. A page of them is rows as dicts: instances would
cost several times as much to make, and would be read once and thrown away.
"""

from collections import defaultdict
from typing import Any

from peewee import Expression, Load, ModelSelect

from . import schemas
from .models import Item, User

Row = dict[str, Any]

# What the schemas return: the password hash is left where it is.
USER_COLUMNS = (User.id, User.email, User.is_active)
ITEM_COLUMNS = (Item.id, Item.title, Item.description, Item.owner.alias("owner_id"))


def _rows(query: "ModelSelect[Any]") -> list[Row]:
    return list(query.dicts())


def _get_user(condition: Expression) -> User | None:
    items = Load(User.items, Item.select().order_by(Item.id))
    return User.select().where(condition).with_related(items).get_or_none()


def get_user(user_id: int) -> User | None:
    """The user, with the items loaded, or None."""
    return _get_user(User.id == user_id)


def get_user_by_email(email: str) -> User | None:
    """The user with exactly this email, with the items loaded, or None."""
    return _get_user(User.email == email)


def get_users(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    Each has the list of its `items`: two queries, for any number of users.
    """
    page = User.select(*USER_COLUMNS).order_by(User.id).offset(skip).limit(limit)
    users = _rows(page)
    owned = Item.owner.in_([user["id"] for user in users])
    items: defaultdict[int, list[Row]] = defaultdict(list)
    for item in _rows(Item.select(*ITEM_COLUMNS).where(owned).order_by(Item.id)):
        items[item["owner_id"]].append(item)
    return [{**user, "items": items[user["id"]]} for user in users]


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def get_items(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on."""
    page = Item.select(*ITEM_COLUMNS).order_by(Item.id).offset(skip).limit(limit)
    return _rows(page)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)
