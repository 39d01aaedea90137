"""Every query of the app. Rows come from SQLAlchemy's core, which compiles each of
these statements once, and become JSON here, validated by the types below.
"""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, insert, select
from typing_extensions import TypedDict

from ..sqlalchemy_app import schemas
from ..sqlalchemy_app.models import Item, User


class ItemRow(TypedDict):
    """An item as it is returned."""

    title: str
    description: str | None
    id: int
    owner_id: int


class UserRow(TypedDict):
    """A user as it is returned."""

    email: str
    id: int
    is_active: bool
    items: list[ItemRow]


ITEMS_JSON: TypeAdapter[Any] = TypeAdapter(list[ItemRow])
USERS_JSON: TypeAdapter[Any] = TypeAdapter(list[UserRow])
ITEM_JSON: TypeAdapter[Any] = TypeAdapter(ItemRow)
USER_JSON: TypeAdapter[Any] = TypeAdapter(UserRow)

TABLES = User.metadata.tables
USER_TABLE, ITEM_TABLE = TABLES[User.__tablename__], TABLES[Item.__tablename__]
USER = select(*USER_TABLE.c["id", "email", "is_active"])
ITEM = select(*ITEM_TABLE.c["id", "title", "description", "owner_id"])

USER_BY_ID = USER.where(USER_TABLE.c.id == bindparam("id"))
USERS = (
    USER.order_by(USER_TABLE.c.id).offset(bindparam("skip")).limit(bindparam("limit"))
)
# In the order of the index on owner_id.
ITEMS_OF_USERS = ITEM.where(
    ITEM_TABLE.c.owner_id.between(bindparam("first"), bindparam("last"))
).order_by(ITEM_TABLE.c.owner_id, ITEM_TABLE.c.id)
ITEMS = (
    ITEM.order_by(ITEM_TABLE.c.id).offset(bindparam("skip")).limit(bindparam("limit"))
)
NEW_USER = insert(USER_TABLE).returning(*USER.selected_columns)
NEW_ITEM = insert(ITEM_TABLE).returning(*ITEM.selected_columns)


def _json(adapter: TypeAdapter[Any], data: Any) -> bytes:
    return adapter.dump_json(adapter.validate_python(data))


def _items(rows: Any) -> list[dict[str, Any]]:
    """Return items as JSON has them; `rows` are ITEM's."""
    return [
        {"title": title, "description": description, "id": id_, "owner_id": owner_id}
        for id_, title, description, owner_id in rows
    ]


def _users(db: Connection, rows: Any) -> list[dict[str, Any]]:
    """Return users as JSON has them, with their items by one query. `rows` are USER's,
    and all that are between the first id and the last.
    """
    if not rows:
        return []
    items: dict[int, list[dict[str, Any]]] = {id_: [] for id_, _, _ in rows}
    ids = {"first": rows[0].id, "last": rows[-1].id}
    for item in _items(db.execute(ITEMS_OF_USERS, ids).all()):
        items[item["owner_id"]].append(item)
    return [
        {"email": email, "id": id_, "is_active": is_active, "items": items[id_]}
        for id_, email, is_active in rows
    ]


def get_user(db: Connection, user_id: int) -> bytes | None:
    """Return the user as JSON, or None."""
    users = _users(db, db.execute(USER_BY_ID, {"id": user_id}).all())
    return _json(USER_JSON, users[0]) if users else None


def get_users(db: Connection, skip: int = 0, limit: int = 100) -> bytes:
    """Return at most `limit` users as JSON, from position `skip` on."""
    page = db.execute(USERS, {"skip": skip, "limit": limit}).all()
    return _json(USERS_JSON, _users(db, page))


def create_user(db: Connection, user: schemas.UserCreate) -> bytes:
    """Create a user. Like the tutorial's, it does not really hash the password."""
    values = {"email": user.email, "hashed_password": user.password + "notreallyhashed"}
    created = db.execute(NEW_USER, {**values, "is_active": True}).one()
    return _json(USER_JSON, {**created._mapping, "items": []})


def get_items(db: Connection, skip: int = 0, limit: int = 100) -> bytes:
    """Return at most `limit` items as JSON, from position `skip` on."""
    page = db.execute(ITEMS, {"skip": skip, "limit": limit}).all()
    return _json(ITEMS_JSON, _items(page))


def create_user_item(db: Connection, item: schemas.ItemCreate, user_id: int) -> bytes:
    """Create an item."""
    values = {"title": item.title, "description": item.description}
    (created,) = _items(db.execute(NEW_ITEM, {**values, "owner_id": user_id}).all())
    return _json(ITEM_JSON, created)
