"""Peewee's names that the rows use, the models, and a database with rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peewee import (
    JOIN,
    SQL,
    AutoField,
    BackrefAccessor,
    BooleanField,
    Case,
    CharField,
    Check,
    CompositeKey,
    DateTimeField,
    Default,
    DoesNotExist,
    Field,
    ForeignKeyField,
    Index,
    IntegerField,
    IntegrityError,
    JSONField,
    Load,
    ManyToManyField,
    Model,
    ModelSelect,
    PeeweeException,
    PostgresqlDatabase,
    QueryEvent,
    Select,
    SqliteDatabase,
    Table,
    TextField,
    Value,
    Window,
    fn,
)
from playhouse import signals
from playhouse.db_url import connect
from playhouse.hybrid import hybrid_property
from playhouse.migrate import SchemaMigrator, migrate
from playhouse.pool import PooledSqliteDatabase
from playhouse.pwasyncio import AsyncSqliteDatabase
from playhouse.pydantic_utils import to_pydantic
from playhouse.reflection import generate_models
from playhouse.shortcuts import model_to_dict
from playhouse.test_utils import count_queries

__all__ = [
    "JOIN",
    "SQL",
    "AsyncSqliteDatabase",
    "AutoField",
    "BackrefAccessor",
    "BaseModel",
    "BooleanField",
    "Case",
    "CharField",
    "Check",
    "CompositeKey",
    "DateTimeField",
    "Default",
    "Document",
    "DoesNotExist",
    "Field",
    "ForeignKeyField",
    "Index",
    "IntegerField",
    "IntegrityError",
    "Item",
    "JSONField",
    "Load",
    "ManyToManyField",
    "Membership",
    "Model",
    "ModelSelect",
    "PeeweeException",
    "PooledSqliteDatabase",
    "PostgresqlDatabase",
    "QueryEvent",
    "SchemaMigrator",
    "Select",
    "SqliteDatabase",
    "Table",
    "Tag",
    "TextField",
    "User",
    "Value",
    "Window",
    "count_queries",
    "db",
    "fn",
    "generate_models",
    "hybrid_property",
    "migrate",
    "model_to_dict",
    "signals",
    "to_pydantic",
]


db = SqliteDatabase(":memory:", pragmas={"foreign_keys": 1})


class BaseModel(Model):
    class Meta:
        database = db


class User(BaseModel):
    id = AutoField()
    email = CharField(unique=True)
    hashed_password = CharField(default="")
    is_active = BooleanField(default=True)

    items: BackrefAccessor

    class Meta:
        table_name = "users"


class Tag(BaseModel):
    id = AutoField()
    name = CharField(unique=True)

    items: BackrefAccessor

    class Meta:
        table_name = "tags"


class Item(BaseModel):
    id = AutoField()
    title = CharField()
    description = CharField(null=True)
    owner = ForeignKeyField(User, backref="items")
    tags = ManyToManyField(Tag, backref="items")

    owner_id: int
    itemtagthrough_set: BackrefAccessor

    class Meta:
        table_name = "items"


class Membership(BaseModel):
    user = ForeignKeyField(User)
    team = CharField()
    role = CharField()

    class Meta:
        table_name = "memberships"
        primary_key = CompositeKey("user", "team")


class Document(BaseModel):
    id = AutoField()
    data = JSONField()

    class Meta:
        table_name = "documents"


# Not shown on the page.

MODELS = [User, Tag, Item, Item.tags.get_through_model(), Membership, Document]


@contextmanager
def database(url: str) -> Iterator[dict[str, Any]]:
    """Make the database `db` for a block of code, with nothing in it but some rows.

    It is in memory, or that of a PostgreSQL URL.
    """
    global db
    usual = db
    if url:
        db = connect(url)
    with db.bind_ctx(MODELS), db.connection_context():
        if url:
            db.execute_sql("DROP SCHEMA public CASCADE")
            db.execute_sql("CREATE SCHEMA public")
        db.create_tables(MODELS)
        deadpool = User.create(email="deadpool@example.com")
        wolverine = User.create(email="wolverine@example.com")
        professor = User.create(email="professor@example.com", is_active=False)
        new, rare = Tag.create(name="new"), Tag.create(name="rare")
        foo = Item.create(title="Foo", description="The Foo Wrestlers", owner=deadpool)
        foo.tags.add([new, rare])
        Item.create(title="Bar", owner=deadpool)
        Item.create(title="Baz", owner=wolverine).tags.add(new)
        Membership.create(user=wolverine, team="x-men", role="member")
        Membership.create(user=professor, team="x-men", role="head")
        Document.create(data={"sizes": [1, 2], "colour": "red"})
        Document.create(data={"sizes": [3], "colour": "blue"})
        yield {}
    db = usual
