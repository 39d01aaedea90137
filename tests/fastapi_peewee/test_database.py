"""ContextDatabase: Peewee's database, for every connection of every scope."""

import ast
import copy
import re
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from peewee import (
    AutoField,
    BlobField,
    CharField,
    Database,
    DatabaseProxy,
    FieldDatabaseHook,
    JSONField,
    Model,
    MySQLDatabase,
    PostgresqlDatabase,
    SqliteDatabase,
    TextField,
)
from playhouse.migrate import SchemaMigrator

import peewee_app
from peewee_app.fastapi_peewee import (
    ContextDatabase,
    NoConnectionError,
    Pool,
    connect,
    connector,
)

from ..engines import on
from .notes import Note, add, count, db, texts


class Hooked(FieldDatabaseHook, TextField):
    """A field that looks at the engine."""

    def _db_hook(self, database: Any) -> None:
        self.engine = None if database is None else type(database).__name__

    def db_value(self, value: Any) -> Any:
        return value and f"{self.engine} {value}"


class Document(Model):
    id = AutoField()
    data = JSONField(null=True)
    blob = BlobField(null=True)
    hooked = Hooked(null=True)

    class Meta:
        database = db


# Fields that follow the engine.


VALUES: list[Any] = [{"a": {"b": [1, "ż"]}}, [], [1], {}, "text", 1, 1.5, True, None]


def store_and_read(kind: str) -> None:
    db.drop_tables([Document])
    db.create_tables([Document])
    for value in VALUES:
        assert Document.create(data=value).data == value
    Document.insert_many([{"data": value} for value in VALUES]).execute()
    rows = Document.select().order_by(Document.id)
    assert [row.data for row in rows] == VALUES * 2
    found = Document.select().where(Document.data["a"]["b"][0] == 1)
    assert found.count() == 2
    first = Document.get()
    first.data, first.blob, first.hooked = {"c": 2}, b"\x00\xff", "a"
    first.save()
    first = Document.get_by_id(first.id)
    assert (first.data, bytes(first.blob or b"")) == ({"c": 2}, b"\x00\xff")
    assert first.hooked == f"{kind} a"


def test_fields_with_a_database_hook_follow_the_engine(
    url: str, engine: str, notes_pool: Pool
) -> None:
    kinds = {"sqlite": "SqliteFile", "postgresql": "Postgresql", "mariadb": "Server"}
    for _ in range(2):
        with notes_pool.connection():
            store_and_read(kinds[engine])
        with connect(db, "sqlite://"):
            store_and_read("Sqlite")
            with connect(db, url):
                store_and_read(kinds[engine])
            store_and_read("Sqlite")


def test_two_engines_at_once(url: str, notes_pool: Pool) -> None:
    """Keep each thread's engine, nested or side by side."""
    together = threading.Barrier(2, timeout=20)

    def read() -> list[Any]:
        return [row.data for row in Document.select().order_by(Document.id)]

    def work(here: str) -> None:
        with connect(db, here):
            db.create_tables([Document])
            together.wait()
            for number in range(20):
                Document.create(data=[number])
            assert read() == [[number] for number in range(20)]
            with connect(db, "sqlite://"):
                db.create_tables([Document])
                Document.create(data=[])
                assert read() == [[]]
            assert Document.select().where(Document.data[0] == 3).count() == 1

    errors: list[BaseException] = []

    def work_or_tell(here: str) -> None:
        try:
            work(here)
        except BaseException as exc:
            errors.append(exc)

    urls = (url, "sqlite://")
    threads = [threading.Thread(target=work_or_tell, args=(here,)) for here in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@on("mariadb")
def test_mariadb_is_known_by_its_url_and_by_its_answer(url: str) -> None:
    for scheme in ("mariadb", "mysql"):
        connect_to = connector(re.sub("^[a-z]+", scheme, url))
        with connect(db, connect_to):
            assert db.mariadb == (scheme == "mariadb")
            db.connect()
            assert db.mariadb
        assert getattr(connect_to(), "mariadb", None)


def test_what_was_read_can_be_used_after_the_scope(notes_pool: Pool) -> None:
    with notes_pool.connection():
        db.drop_tables([Document])
        db.create_tables([Document])
        Document.create(data=[1])
        first = next(iter(Document.select().execute()))
    assert first.data == [1]


# Binding.


def test_what_is_bound_is_bound_to_the_database_and_not_to_a_connection(
    notes_pool: Pool,
) -> None:
    class Free(Model):
        text = CharField()

    other = SqliteDatabase(None)
    with notes_pool.connection():
        db.bind([Free])
        assert Free._meta.database is db
        with other.bind_ctx([Free]), db.bind_ctx([Free]):
            assert Free._meta.database is db
    with notes_pool.connection():
        db.create_tables([Free])
        with notes_pool.connection(), db.atomic() as transaction:
            Free.create(text="lost")
            transaction.rollback()
        assert Free.select().count() == 0


# As Peewee's proxy.


def test_attributes_are_those_of_the_connection(notes_pool: Pool) -> None:
    assert not hasattr(db, "server_version")
    assert not hasattr(db, "no_such_thing")
    assert getattr(db, "for_update", "default") == "default"
    with pytest.raises(NoConnectionError):
        db.get_tables()
    with notes_pool.connection():
        assert hasattr(db, "server_version")
        assert not hasattr(db, "no_such_thing")
        assert getattr(db, "no_such_thing", "default") == "default"
        assert db.get_tables() == ["note"]
    with pytest.raises(AttributeError):
        db.param = "?"


def test_it_passes_for_its_engine(engine: str, notes_pool: Pool) -> None:
    kinds = {
        "sqlite": SqliteDatabase,
        "postgresql": PostgresqlDatabase,
        "mariadb": MySQLDatabase,
    }
    assert isinstance(db, DatabaseProxy)
    assert not isinstance(db, Database)
    with notes_pool.connection():
        count()
        assert isinstance(db, DatabaseProxy)
        assert isinstance(db, ContextDatabase)
        assert [isinstance(db, kind) for kind in kinds.values()] == [
            name == engine for name in kinds
        ]


def test_threads_that_look_at_once_make_one_connection(url: str) -> None:
    here = ContextDatabase()
    made: list[Database] = []

    def connect_slowly() -> Database:
        time.sleep(0.05)
        made.append(connector(url)())
        return made[-1]

    with connect(here, connect_slowly):
        looks: list[Callable[[], Any]] = [lambda: here.for_update, here.connect]
        threads = [
            threading.Thread(target=copy_context().run, args=(look,)) for look in looks
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 1
    assert made[0].is_closed()


def test_it_is_copied_as_a_database_is() -> None:
    assert copy.deepcopy(db) is db
    assert copy.deepcopy({"database": db})["database"] is db

    class Child(Document):
        more = JSONField()

    assert Child._meta.database is db


def test_a_model_can_be_made_as_peewee_has_it(notes_pool: Pool) -> None:
    assert db.Model._meta.database is db
    with notes_pool.connection():
        assert db.Model is db.Model


def test_playhouse_takes_it(notes_pool: Pool) -> None:
    with notes_pool.connection():
        migrator = SchemaMigrator.from_database(db)
        migrator.add_column("note", "more", CharField(null=True)).run()
        names = [column.name for column in db.get_columns("note")]
        assert names == ["id", "text", "more"]


# Transactions.


def test_a_callback_after_the_commit_may_wait_for_a_thread_of_its_scope(
    notes_pool: Pool,
) -> None:
    seen: list[int] = []

    def look() -> None:
        context = copy_context()
        thread = threading.Thread(
            target=lambda: context.run(lambda: seen.append(count()))
        )
        thread.start()
        thread.join(5)
        assert not thread.is_alive()

    with notes_pool.connection():
        with db.atomic():
            add("a")
            db.after_commit(look)
            assert seen == []
        assert seen == [1]
        db.after_commit(look)
        assert seen == [1, 1]


def test_batches_are_transactions_of_the_scope(notes_pool: Pool) -> None:
    with notes_pool.connection():
        for number in db.batch_commit(range(5), 2):
            add(str(number))
            assert db.in_transaction()
        assert len(texts()) == 5


# Inserts are Peewee's own.


def test_an_insert_follows_its_model(notes_pool: Pool) -> None:
    class Row(Model):
        text = CharField(unique=True)

        class Meta:
            database = db
            table_name = "rows_a"

    with notes_pool.connection():
        for table in ("rows_b", "rows_a"):
            Row._meta.set_table_name(table)
            db.create_tables([Row])
        Row.create(text="a")
        Row._meta.set_table_name("rows_b")
        Row.create(text="b")
        assert [row.text for row in Row.select()] == ["b"]
        Row._meta.set_table_name("rows_a")
        assert [row.text for row in Row.select()] == ["a"]
        SchemaMigrator.from_database(db).add_column(
            "rows_a", "more", CharField(null=True)
        ).run()
        Row._meta.add_field("more", CharField(null=True))
        Row.create(text="c", more="more")
        assert vars(Row.get(text="c"))["__data__"]["more"] == "more"
        SchemaMigrator.from_database(db).rename_column("rows_a", "more", "other").run()
        Row._meta.fields["more"].column_name = "other"
        del Row._meta.table
        Row.create(text="d", more="again")
        found = db.execute_sql("SELECT other FROM rows_a ORDER BY id").fetchall()
        assert [tuple(row) for row in found] == [(None,), ("more",), ("again",)]


def test_returning(engine: str, notes_pool: Pool) -> None:
    with notes_pool.connection():
        if not db.returning_clause and engine != "sqlite":
            add("a")
        else:
            query = Note.insert(text="a").returning(Note.id, Note.text)
            assert [(row.id, row.text) for row in query] == [(1, "a")]
        assert texts() == ["a"]


@on("postgresql")
def test_tenants_by_schema(notes_pool: Pool) -> None:
    with notes_pool.connection():
        try:
            for tenant in ("one", "two"):
                db.execute_sql(f"CREATE SCHEMA {tenant}")
                Note._meta.schema = tenant
                del Note._meta.table
                db.create_tables([Note])
                add(tenant)
                assert texts() == [tenant]
        finally:
            Note._meta.schema = None
            del Note._meta.table
        assert texts() == []


# Nothing private.


def test_private_parts_of_dependencies_are_left_alone() -> None:
    """Leave `db._state` to Peewee: one request at a time uses a connection, so the
    public `thread_safe=False` is enough. Peewee's documentation has `_meta`. The one
    private part of FastAPI is the one that its own routes look at.
    """
    fastapi = "_effective_route_context_var"
    for file in Path(peewee_app.__file__).parent.rglob("*.py"):
        if file.name == "peewee_private.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and re.match(
                f"_(?!_|meta$|{fastapi[1:]}$)", node.attr
            ):
                assert isinstance(node.value, ast.Name), f"{file}:{node.lineno}"
                assert node.value.id == "self", f"{file}:{node.lineno}"
