"""Every query of the app. Models carry their database, so none is passed around.

What is created is a model instance. What is read is rows, ready to become JSON: to make
instances takes several times as long, and they would be looked at only once.
"""

from collections import defaultdict
from typing import Any

from . import schemas
from .database import db
from .models import Item, User
from .statement import GIVEN, Statement, Values

# A row as it becomes JSON.
Row = dict[str, Any]

# What a client may see: the password hash stays in the database.
USER = User.select(User.id, User.email, User.is_active).order_by(User.id)
ITEM = Item.select(Item.id, Item.title, Item.description, Item.owner).order_by(Item.id)

USER_BY_ID = Statement(USER.where(User.id == GIVEN))
USER_BY_EMAIL = Statement(USER.where(User.email == GIVEN))
USERS = Statement(USER.limit(GIVEN).offset(GIVEN))
USERS_AFTER = Statement(USER.where(User.id > GIVEN).limit(GIVEN).offset(GIVEN))
ITEM_BY_ID = Statement(ITEM.where(Item.id == GIVEN))
ITEMS = Statement(ITEM.limit(GIVEN).offset(GIVEN))
ITEMS_AFTER = Statement(ITEM.where(Item.id > GIVEN).limit(GIVEN).offset(GIVEN))
# In the order of the index on owner_id.
ITEMS_OF_USERS = Statement(
    ITEM.where(Item.owner.between(GIVEN, GIVEN)).order_by(Item.owner, Item.id)
)
NEW_ITEM = Statement(Item.insert(title=GIVEN, description=GIVEN, owner=GIVEN))


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _users(rows: list[Values]) -> list[Row]:
    """The users with their items, by one query. They are all that there are between
    the first id and the last.
    """
    if not rows:
        return []
    items: defaultdict[int, list[Row]] = defaultdict(list)
    for item in _items(ITEMS_OF_USERS.rows(rows[0][0], rows[-1][0])):
        items[item["owner_id"]].append(item)
    return [
        # SQLite and MySQL have a number for a boolean.
        {"email": email, "id": id_, "is_active": bool(active), "items": items[id_]}
        for id_, email, active in rows
    ]


def _items(rows: list[Values]) -> list[Row]:
    return [
        {"title": title, "description": description, "id": id_, "owner_id": owner_id}
        for id_, title, description, owner_id in rows
    ]


def get_user(user_id: int) -> Row | None:
    """The user with the items, or None."""
    return _first(_users(USER_BY_ID.rows(user_id)))


def get_user_by_email(email: str) -> Row | None:
    """The user with exactly this email, with the items, or None."""
    return _first(_users(USER_BY_EMAIL.rows(email)))


def get_users(skip: int = 0, limit: int = 100, after: int | None = None) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    With `after`, only users with a greater id are looked at. With their items that is
    two queries, for any number of users.
    """
    if after is None:
        return _users(USERS.rows(limit, skip))
    return _users(USERS_AFTER.rows(after, limit, skip))


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def update_user(user_id: int, user: schemas.UserUpdate) -> Row | None:
    """The user, with the fields that are set in `user` changed, or None.

    The statement names those fields only, so that updates of other fields that run at
    the same time stand. Raises Peewee's IntegrityError if the email is taken.
    """
    changes = user.model_dump(exclude_unset=True)
    if "password" in changes:
        del changes["password"]
        changes["hashed_password"] = user.hashed_password
    if changes:
        User.update(changes).where(User.id == user_id).execute()
    return get_user(user_id)


def delete_user(user_id: int) -> bool:
    """Delete the user with all items, or nothing; False if there is no such user."""
    with db.atomic():
        users = User.select(User.id).where(User.id == user_id)
        # Lets nobody add an item before the user is gone. On SQLite, which has no row
        # locks, the transaction does.
        if db.for_update:
            users = users.for_update()
        if users.get_or_none() is None:
            return False
        Item.delete().where(Item.owner == user_id).execute()
        User.delete().where(User.id == user_id).execute()
        return True


def get_item(item_id: int) -> Row | None:
    """The item, or None."""
    return _first(_items(ITEM_BY_ID.rows(item_id)))


def get_items(skip: int = 0, limit: int = 100, after: int | None = None) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on.

    With `after`, only items with a greater id are looked at.
    """
    if after is None:
        return _items(ITEMS.rows(limit, skip))
    return _items(ITEMS_AFTER.rows(after, limit, skip))


def get_start_of_page_before(
    model: type[User | Item], after: int | None, limit: int
) -> int | None:
    """The id after which the page of `limit` rows starts that ends with `after`.

    None if that page starts with the first row, or `after` is None.
    """
    if after is None:
        return None
    ids = model.select(model.id).where(model.id <= after)
    row = ids.order_by(model.id.desc()).offset(limit).first()
    return row.id if row else None


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    item_id = NEW_ITEM.new_id(item.title, item.description, user_id)
    return Item(**item.model_dump(), owner=user_id, id=item_id)


def update_item(item_id: int, item: schemas.ItemUpdate) -> Row | None:
    """The item, with the fields that are set in `item` changed, or None."""
    changes = item.model_dump(exclude_unset=True)
    if changes:
        Item.update(changes).where(Item.id == item_id).execute()
    return get_item(item_id)


def delete_item(item_id: int) -> bool:
    """Delete the item; False if there is no such item."""
    return bool(Item.delete().where(Item.id == item_id).execute())
