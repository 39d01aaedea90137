"""Every query of the app. Models carry their database, so none is passed around.

One user or item is a model instance. A page of them is rows, ready to become JSON: to
make instances costs several times as much, and they would be read only once.
"""

from collections import defaultdict

from . import schemas
from .models import Item, User
from .statement import GIVEN, Row, Statement

# What a page shows: the password hash stays in the database.
USER_COLUMNS = (User.email, User.id, User.is_active)
ITEM_COLUMNS = (Item.title, Item.description, Item.id, Item.owner)

USER_BY_ID = Statement(User.select().where(User.id == GIVEN))
ITEMS_OF_USER = Statement(Item.select().where(Item.owner == GIVEN).order_by(Item.id))
USERS = Statement(
    User.select(*USER_COLUMNS).order_by(User.id).limit(GIVEN).offset(GIVEN)
)
ITEMS = Statement(
    Item.select(*ITEM_COLUMNS).order_by(Item.id).limit(GIVEN).offset(GIVEN)
)
ITEMS_OF_USERS = Statement(
    Item.select(*ITEM_COLUMNS)
    .where(Item.owner.between(GIVEN, GIVEN))
    .order_by(Item.owner, Item.id)
)


def get_user(user_id: int) -> User | None:
    """The user, with the items loaded, or None."""
    for user in USER_BY_ID.objects(user_id):
        user.items = ITEMS_OF_USER.objects(user_id)
        return user
    return None


def get_user_by_email(email: str) -> User | None:
    """The user with exactly this email, or None."""
    return User.get_or_none(User.email == email)


def get_users(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    Each has the list of its `items`. That is two queries, for any number of users.
    """
    users = USERS.rows(limit, skip)
    if not users:
        return []
    items: defaultdict[int, list[Row]] = defaultdict(list)
    # The page has every user between its first and its last.
    for item in ITEMS_OF_USERS.rows(users[0]["id"], users[-1]["id"]):
        items[item["owner_id"]].append(item)
    for user in users:
        user["is_active"] = bool(user["is_active"])  # SQLite and MySQL have numbers.
        user["items"] = items[user["id"]]
    return users


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def get_items(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on."""
    return ITEMS.rows(limit, skip)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)
