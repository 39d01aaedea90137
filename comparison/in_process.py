"""CPU time from a query to its JSON in one process: by ORM, and by the way it is
used. Each ORM answers in the same ways, on the same SQLite file of 1,000 users with 5
items each, by schemas that are the same for both.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import peewee
import sqlalchemy
from peewee import Load
from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import Connection, Select
from sqlalchemy.orm import Session, selectinload

from .databases import SQLITE, fill
from .floor_app.main import item_json, user_json
from .sqlalchemy_app import models, schemas
from .sqlalchemy_app.database import make_engine
from .sqlalchemy_tuned_app.database import create_tables

RUNS = 5

LAZY = "instances, a query for each user's items"
EAGER = "instances, items loaded eagerly"
ROWS = "rows"
BUILT_ONCE = "rows, the SQL built once and run as text"
DRIVER = "the driver alone, the SQL written by hand"
PEEWEE, SQLALCHEMY, NO_ORM = "Peewee", "SQLAlchemy", "no ORM"

# Milliseconds of CPU of a call, by way and ORM.
Costs = dict[str, dict[str, float]]
Call = Callable[[], bytes]
Rows = list[Any]
# The rows of users, and those of their items.
Page = tuple[Rows, Rows]

# The ids of the first and the last user.
ANSWERS = {"100 users with 500 items": (1, 100), "one user with 5 items": (7, 7)}

USERS = TypeAdapter(list[schemas.User])

database = peewee.SqliteDatabase(None)


class User(peewee.Model):
    """A user; `user.items` is the backref of `Item.owner`."""

    id = peewee.AutoField()
    email = peewee.CharField()
    hashed_password = peewee.CharField()
    is_active = peewee.BooleanField()
    items: peewee.BackrefAccessor

    class Meta:
        database = database
        table_name = "users"


class Item(peewee.Model):
    """An item; `item.owner_id` is the raw key."""

    id = peewee.AutoField()
    title = peewee.CharField()
    description = peewee.CharField(null=True)
    owner = peewee.ForeignKeyField(User, backref="items")
    owner_id: int

    class Meta:
        database = database
        table_name = "items"


def from_instances(users: list[Any]) -> bytes:
    """Return the JSON of users, read from instances by the schema."""
    return USERS.dump_json(USERS.validate_python(users))


def from_rows(page: Page) -> bytes:
    """Return the JSON of users, from rows."""
    users, items = page
    items_of: dict[int, list[dict[str, Any]]] = {row[0]: [] for row in users}
    for row in items:
        items_of[row[3]].append(item_json(row))
    return to_json([user_json(row, items_of[row[0]]) for row in users])


def by_peewee(first: int, last: int) -> dict[str, Call]:
    """Return the ways to the users between the two ids, by Peewee."""
    users = User.select().where(User.id.between(first, last)).order_by(User.id)
    columns = users.select(User.id, User.email, User.is_active)
    items = (
        Item.select(Item.id, Item.title, Item.description, Item.owner)
        .where(Item.owner.between(first, last))
        .order_by(Item.owner, Item.id)
    )
    texts = columns.sql(), items.sql()

    def lazily() -> bytes:
        fields = ("id", "email", "is_active")
        return from_instances(
            [
                {name: getattr(user, name) for name in fields}
                | {"items": list(user.items)}
                for user in users.clone()
            ]
        )

    def run(text: str, values: Any) -> Rows:
        rows: Rows = database.execute_sql(text, values).fetchall()
        return rows

    return {
        LAZY: lazily,
        EAGER: lambda: from_instances(list(users.with_related(Load(User.items)))),
        ROWS: lambda: from_rows((list(columns.tuples()), list(items.tuples()))),
        BUILT_ONCE: lambda: from_rows((run(*texts[0]), run(*texts[1]))),
    }


def by_sqlalchemy(db: Connection, first: int, last: int) -> dict[str, Call]:
    """Return the ways to the users between the two ids, by SQLAlchemy, which caches
    a statement's SQL.
    """
    tables = models.User.metadata.tables
    user, item = tables["users"].c, tables["items"].c
    users = sqlalchemy.select(models.User).order_by(models.User.id)
    users = users.where(models.User.id.between(first, last))
    columns = sqlalchemy.select(user.id, user.email, user.is_active)
    columns = columns.where(user.id.between(first, last)).order_by(user.id)
    items = sqlalchemy.select(item.id, item.title, item.description, item.owner_id)
    items = items.where(item.owner_id.between(first, last))
    items = items.order_by(item.owner_id, item.id)
    texts = [str(query.compile(db.engine)) for query in (columns, items)]

    def instances(query: Select[models.User]) -> bytes:
        with Session(db) as session:
            return from_instances(list(session.scalars(query)))

    def run(text: str) -> Rows:
        return list(db.exec_driver_sql(text, (first, last)))

    return {
        LAZY: lambda: instances(users),
        EAGER: lambda: instances(users.options(selectinload(models.User.items))),
        ROWS: lambda: from_rows((list(db.execute(columns)), list(db.execute(items)))),
        BUILT_ONCE: lambda: from_rows((run(texts[0]), run(texts[1]))),
    }


def by_driver(db: sqlite3.Connection, first: int, last: int) -> dict[str, Call]:
    """Return the way to the users between the two ids without an ORM."""
    users = "SELECT id, email, is_active FROM users WHERE id BETWEEN ? AND ? ORDER BY 1"
    items = (
        "SELECT id, title, description, owner_id FROM items "
        "WHERE owner_id BETWEEN ? AND ? ORDER BY owner_id, id"
    )

    def run(text: str) -> Rows:
        return db.execute(text, (first, last)).fetchall()

    return {DRIVER: lambda: from_rows((run(users), run(items)))}


def measure(ways: dict[str, dict[str, Call]], rounds: int) -> Costs:
    """Return the least CPU time of each way, in ms. The ways take turns, so that a busy
    machine slows all alike. `ways` are by ORM, the costs by way.
    """
    costs: Costs = {}
    for _ in range(rounds):
        for orm, calls in ways.items():
            for way, call in calls.items():
                of_way = costs.setdefault(way, {})
                start = time.process_time()
                for _ in range(RUNS):
                    call()
                cost = (time.process_time() - start) * 1000 / RUNS
                of_way[orm] = min(cost, of_way.get(orm, cost))
    return costs


@contextmanager
def all_ways() -> Iterator[dict[str, dict[str, dict[str, Call]]]]:
    """Yield the ways to each of the ANSWERS, by ORM, on a database of their own."""
    with TemporaryDirectory() as folder:
        path = f"{folder}/comparison.db"
        engine = make_engine(SQLITE + path, isolation_level="AUTOCOMMIT")
        database.init(path)
        with (
            engine.connect() as connection,
            database.connection_context(),
            closing(sqlite3.connect(path)) as driver,
        ):
            create_tables(connection)
            fill(SQLITE + path, 1000, 5)
            yield {
                answer: {
                    PEEWEE: by_peewee(first, last),
                    SQLALCHEMY: by_sqlalchemy(connection, first, last),
                    NO_ORM: by_driver(driver, first, last),
                }
                for answer, (first, last) in ANSWERS.items()
            }
        engine.dispose()


def measure_in_process(rounds: int) -> dict[str, Costs]:
    """Return the costs of each of the ANSWERS."""
    with all_ways() as ways:
        return {answer: measure(by_orm, rounds) for answer, by_orm in ways.items()}
