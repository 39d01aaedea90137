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
# The same promise as in the other apps: what was answered survives a power cut.
PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1}


def make_database(url: str) -> Any:
    """The database at a `sqlite:///` or `postgresql://` URL; it opens nothing yet."""
    if url.startswith(SQLITE):
        return AsyncSqliteDatabase(url.removeprefix(SQLITE), pragmas=PRAGMAS)
    return AsyncPostgresqlDatabase(url)


class BaseModel(AsyncModelMixin, Model):  # type: ignore[misc]
    """Binds a model to the database."""

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
