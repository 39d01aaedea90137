"""Tables, and the database that they are in."""

from typing import Any

from peewee import (
    AutoField,
    BackrefAccessor,
    BooleanField,
    CharField,
    DatabaseProxy,
    ForeignKeyField,
    Model,
)
from playhouse.pwasyncio import (
    AsyncModelMixin,
    AsyncPostgresqlDatabase,
    AsyncSqliteDatabase,
)

db = DatabaseProxy()

SQLITE = "sqlite:///"
# As in the other apps, an acknowledged write survives a power cut.
PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1}


def make_database(url: str) -> Any:
    """Make the database of a `sqlite:///` or `postgresql://` URL; connect later."""
    if url.startswith(SQLITE):
        return AsyncSqliteDatabase(url.removeprefix(SQLITE), pragmas=PRAGMAS)
    return AsyncPostgresqlDatabase(url)


class BaseModel(AsyncModelMixin, Model):  # type: ignore[misc]
    """Base of the models."""

    class Meta:
        database = db


class User(BaseModel):
    """A user; `user.items` is the backref of `Item.owner`."""

    id = AutoField()
    email = CharField(unique=True)
    hashed_password = CharField()
    is_active = BooleanField(default=True)
    items: BackrefAccessor

    class Meta:
        table_name = "users"


class Item(BaseModel):
    """An item; `item.owner_id` is the raw key."""

    id = AutoField()
    title = CharField(index=True)
    description = CharField(null=True, index=True)
    owner = ForeignKeyField(User, backref="items")
    owner_id: int

    class Meta:
        table_name = "items"
