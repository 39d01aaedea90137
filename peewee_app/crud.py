"""Every query of the app. Models carry their database, so none is passed around.

What is created is a model instance. What is read is rows, ready to become JSON: to make
instances takes several times as long, and they would be looked at only once.
"""

from collections import defaultdict

from . import schemas
from .models import Item, User
from .statement import GIVEN, Row, Statement

# What a client may see: the password hash stays in the database.
USER = User.select(User.email, User.id, User.is_active).order_by(User.id)
ITEM = Item.select(Item.title, Item.description, Item.id, Item.owner).order_by(Item.id)

USER_BY_ID = Statement(USER.where(User.id == GIVEN))
USER_BY_EMAIL = Statement(USER.where(User.email == GIVEN))
USERS = Statement(USER.limit(GIVEN).offset(GIVEN))
ITEMS = Statement(ITEM.limit(GIVEN).offset(GIVEN))
# In the order of the index on owner_id.
ITEMS_OF_USERS = Statement(
    ITEM.where(Item.owner.between(GIVEN, GIVEN)).order_by(Item.owner, Item.id)
)


def _with_items(users: list[Row]) -> list[Row]:
    """The users with their items, by one query. They are all that there are between
    the first id and the last.
    """
    if not users:
        return []
    items: defaultdict[int, list[Row]] = defaultdict(list)
    for item in ITEMS_OF_USERS.rows(users[0]["id"], users[-1]["id"]):
        items[item["owner_id"]].append(item)
    for user in users:
        user["is_active"] = bool(user["is_active"])  # SQLite and MySQL have numbers.
        user["items"] = items[user["id"]]
    return users


def get_user(user_id: int) -> Row | None:
    """The user with the items, or None."""
    return next(iter(_with_items(USER_BY_ID.rows(user_id))), None)


def get_user_by_email(email: str) -> Row | None:
    """The user with exactly this email, with the items, or None."""
    return next(iter(_with_items(USER_BY_EMAIL.rows(email))), None)


def get_users(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    With their items that is two queries, for any number of users.
    """
    return _with_items(USERS.rows(limit, skip))


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def get_items(skip: int = 0, limit: int = 100) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on."""
    return ITEMS.rows(limit, skip)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)
