"""Peewee programs do the same on plain Peewee and inside a scope."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import (
    EXCLUDED,
    AutoField,
    BlobField,
    Database,
    DateTimeField,
    DoesNotExist,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    JSONField,
    Model,
    PeeweeException,
    PostgresqlDatabase,
    QueryEvent,
    SqliteDatabase,
    TextField,
    UUIDField,
    fn,
)
from playhouse.db_url import connect as connect_url

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connector, run


class Parent(Model):
    id = AutoField()
    name = TextField(null=True)
    number = IntegerField(unique=True)


class Child(Model):
    id = AutoField()
    parent = ForeignKeyField(Parent, backref="children", null=True)
    key = UUIDField(null=True)
    data = JSONField(null=True)
    blob = BlobField(null=True)
    when = DateTimeField(null=True)


MODELS = [Parent, Child]
NUMBERS = st.integers(0, 5)
ROWS = st.fixed_dictionaries(
    {"number": NUMBERS}, optional={"name": st.sampled_from(["a", "ż", "", None])}
)
CHILDREN: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "parent": st.one_of(st.none(), st.integers(1, 4)),
        "key": st.uuids(version=4),
        "data": st.sampled_from([None, [], {}, {"a": [1, "ż"]}, "text", 1]),
        "blob": st.sampled_from([b"", b"\x00\xff"]),
        "when": st.sampled_from([None, datetime(2026, 1, 2, 3, 4, 5)]),
    },
)
Do = Callable[["Program"], Any]
Step = tuple[Any, ...]


class Program:
    """Run of steps on a database, with their results, errors and calls."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.seen: list[Any] = []

    def run(self, steps: list[Step]) -> None:
        for name, *arguments in steps:
            try:
                result = getattr(self, name)(*arguments)
            except (PeeweeException, DoesNotExist, LookupError, ValueError) as exc:
                kinds = [k for k in type(exc).__mro__ if k.__module__ == "peewee"]
                result = kinds[0].__name__ if kinds else type(exc).__name__
            self.seen.append((name, result, self.database.transaction_depth()))

    # Nesting steps.

    def atomic(self, steps: list[Step], ending: str) -> None:
        with self.database.atomic() as transaction:
            self.inside(steps, ending, transaction)

    def transaction(self, steps: list[Step], ending: str) -> None:
        with self.database.transaction() as transaction:
            self.inside(steps, ending, transaction)

    def savepoint(self, steps: list[Step], ending: str) -> None:
        with self.database.atomic(), self.database.savepoint() as savepoint:
            self.inside(steps, ending, savepoint)

    def decorated(self, steps: list[Step], ending: str) -> None:
        self.database.atomic()(lambda: self.inside(steps, ending, None))()

    def context(self, steps: list[Step], ending: str) -> None:
        with self.database.connection_context():
            self.run(steps)

    def bound(self, steps: list[Step], ending: str) -> None:
        with self.database.bind_ctx(MODELS):
            self.run(steps)

    def inside(self, steps: list[Step], ending: str, transaction: Any) -> None:
        self.run(steps)
        if ending == "raise":
            raise LookupError
        if transaction is not None and ending in ("commit", "rollback"):
            getattr(transaction, ending)()
            self.run(steps[:1])

    # Simple steps.

    def create(self, row: dict[str, Any]) -> Any:
        return Parent.create(**row).__data__

    def save_again(self, number: int, name: str) -> Any:
        parent = Parent.get(Parent.number == number)
        parent.name = name
        return parent.save(), parent.save(only=[Parent.name])

    def insert(self, row: dict[str, Any]) -> Any:
        return Parent.insert(row).execute()

    def insert_many(self, rows: list[dict[str, Any]]) -> Any:
        rows = [{"name": None} | row for row in rows]
        return bool(Parent.insert_many(rows).execute())

    def insert_from(self, shift: int) -> Any:
        query = Parent.select(Parent.name, Parent.number + shift)
        return bool(Parent.insert_from(query, [Parent.name, Parent.number]).execute())

    def upsert(self, row: dict[str, Any]) -> Any:
        query = Parent.insert(row)
        if self.database.server_version and not hasattr(self.database, "mariadb"):
            target = {"conflict_target": [Parent.number]}
            query = query.on_conflict(update={Parent.name: EXCLUDED.name}, **target)
        else:
            query = query.on_conflict(preserve=[Parent.name])
        query.execute()

    def ignore(self, row: dict[str, Any]) -> Any:
        Parent.insert(row).on_conflict_ignore().execute()

    def returning(self, row: dict[str, Any]) -> Any:
        if not self.database.returning_clause:
            return None
        query = Parent.insert(row).returning(Parent.id, Parent.name)
        return [(found.id, found.name) for found in query]

    def get_or_create(self, number: int) -> Any:
        get_or_create: Any = Parent.get_or_create
        parent, created = get_or_create(number=number, defaults={"name": "new"})
        return parent.__data__, created

    def create_child(self, row: dict[str, Any]) -> Any:
        return Child.create(**row).__data__

    def bulk(self, rows: list[dict[str, Any]]) -> Any:
        Child.bulk_create([Child(**row) for row in rows], batch_size=2)

    def update(self, number: int) -> Any:
        return (
            Parent.update(name=fn.UPPER(Parent.name))
            .where(Parent.number > number)
            .execute()
        )

    def delete(self, number: int) -> Any:
        return Parent.delete().where(Parent.number == number).execute()

    def delete_instance(self, number: int) -> Any:
        return Parent.get(Parent.number == number).delete_instance(recursive=True)

    def read(self) -> Any:
        parents = list(Parent.select().order_by(Parent.number).dicts())
        children = [
            child.__data__ | {"blob": child.blob and bytes(child.blob)}
            for child in Child.select().order_by(Child.id)
        ]
        return parents, children

    def lazy(self) -> Any:
        of: Any = attrgetter("children")
        return [
            (parent.number, sorted(child.id for child in of(parent)))
            for parent in Parent.select().order_by(Parent.number)
        ]

    def shapes(self) -> Any:
        query = Parent.select(Parent.number).order_by(Parent.number)
        return (
            list(query.tuples()),
            [row.number for row in query.namedtuples().iterator()],
            query.count(),
            Parent.select(fn.SUM(Parent.number)).scalar(),
            (query | query).count(),
            query.exists(),
        )

    def session(self, ending: str) -> Any:
        self.database.session_start()
        try:
            Parent.create(number=9)
        except IntegrityError:
            ending = "rollback"
        return getattr(self.database, f"session_{ending}")()

    def after_commit(self) -> Any:
        self.database.after_commit(lambda: self.seen.append(("committed",)))

    def batch(self) -> Any:
        return [
            (number, self.database.transaction_depth())
            for number in self.database.batch_commit(range(3), 2)
        ]

    def reconnect(self) -> Any:
        return (
            self.database.close(),
            self.database.is_closed(),
            (
                self.database.connect(reuse_if_open=True),
                self.database.is_closed(),
            ),
        )

    def manual(self) -> Any:
        with self.database.manual_commit():
            self.database.begin()
            try:
                Parent.create(number=8)
            finally:
                self.database.rollback()

    def tables(self) -> Any:
        return self.database.get_tables(), self.database.table_exists("parent")

    def wrong(self) -> Any:
        self.database.execute_sql("SELECT no_such_column FROM parent")


def steps() -> st.SearchStrategy[list[Step]]:
    """Return programs, whose steps may nest."""

    def step(*parts: Any) -> st.SearchStrategy[Step]:
        name, *arguments = parts
        return st.tuples(st.just(name), *arguments)

    rows, children = st.lists(ROWS, max_size=4), st.lists(CHILDREN, max_size=4)
    plain = st.one_of(
        *(step(name, ROWS) for name in ("create", "insert", "upsert", "ignore")),
        step("returning", ROWS),
        step("insert_many", rows.filter(bool)),
        step("insert_from", NUMBERS),
        step("create_child", CHILDREN),
        step("bulk", children.filter(bool)),
        step("save_again", NUMBERS, st.sampled_from(["b", "ä"])),
        *(
            step(name, NUMBERS)
            for name in ("get_or_create", "update", "delete", "delete_instance")
        ),
        step("session", st.sampled_from(["commit", "rollback"])),
        *(
            step(name)
            for name in (
                *("read", "lazy", "shapes", "after_commit", "batch", "reconnect"),
                *("manual", "tables", "wrong"),
            )
        ),
    )
    names = ("atomic", "transaction", "savepoint", "decorated", "context", "bound")
    endings = st.sampled_from(["", "raise", "commit", "rollback"])
    return st.recursive(
        st.lists(plain, max_size=6),
        lambda inner: st.lists(
            plain | st.tuples(st.sampled_from(names), inner, endings), max_size=4
        ),
        max_leaves=4,
    )


def plain_database(url: str) -> Database:
    """Return plain Peewee's database, with our settings."""
    if url.startswith("sqlite"):
        return SqliteDatabase(url[len("sqlite:///") :], pragmas={"foreign_keys": 1})
    if url.startswith("postgresql"):
        return PostgresqlDatabase(url, prefer_psycopg3=True)
    database: Database = connect_url(url, sql_mode="TRADITIONAL", mariadb=True)
    return database


def make_tables(database: Any) -> None:
    database.drop_tables(MODELS)
    database.create_tables(MODELS)


def on_plain_peewee(url: str, program: list[Step]) -> list[Any]:
    database = plain_database(url)
    seen = Program(database)
    statements: list[str] = []
    with database.bind_ctx(MODELS):
        make_tables(database)
        database.query_hooks.append(lambda event: statements.append(kind(event)))
        seen.run([*program, ("read",)])
    database.close()
    return [seen.seen, statements]


def inside_a_scope(url: str, program: list[Step]) -> list[Any]:
    db = ContextDatabase()
    seen = Program(db)
    statements: list[str] = []

    async def request() -> None:
        async with pool.request():
            await run(db.connect)
            await run(partial(make_tables, db))
            db.query_hooks.append(lambda event: statements.append(kind(event)))
            for step in (*program, ("read",)):
                await run(partial(seen.run, [step]))

    pool = Pool(db, connector(url), size=1, timeout=5)
    with db.bind_ctx(MODELS):
        asyncio.run(request())
    pool.close()
    return [seen.seen, statements]


def kind(event: QueryEvent) -> str:
    """Return a statement without its random part, a savepoint's name."""
    return re.sub("s[0-9a-f]{32}", "name", event.sql)


@given(program=steps())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_program_does_the_same_on_plain_peewee_and_in_a_scope(
    url: str, program: list[Step]
) -> None:
    assert inside_a_scope(url, program) == on_plain_peewee(url, program)
