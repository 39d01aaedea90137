"""Errors that name the violated constraint, on models of their own."""

from collections.abc import Callable, Iterator

import peewee
import psycopg
import pymysql
import pytest

from peewee_app.fastapi_peewee import (
    ForeignKeyViolation,
    UniqueViolation,
    connector,
    why_unavailable,
)
from peewee_app.fastapi_peewee.engines.connection import Connection
from peewee_app.fastapi_peewee.engines.errors import driver_error, without_values
from tests.engines import on


class Author(peewee.Model):
    name = peewee.CharField(unique=True)
    age = peewee.IntegerField(constraints=[peewee.Check("age >= 0")])


class Book(peewee.Model):
    title = peewee.CharField(max_length=10)
    author = peewee.ForeignKeyField(Author, on_delete="RESTRICT")


MODELS = [Author, Book]


@pytest.fixture
def database(url: str) -> Iterator[Connection]:
    database = connector(url)()
    with database.bind_ctx(MODELS), database.connection_context():
        database.create_tables(MODELS)
        Author.create(name="Jane", age=41)
        Book.create(title="Emma", author=1)
        yield database


def double_key() -> None:
    Author.insert(id=1, name="John", age=1).execute()


def double_name() -> None:
    Author.create(name="Jane", age=1)


def double_name_of_many() -> None:
    Author.insert_many([("a", 1), ("b", 1), ("a", 1)], ["name", "age"]).execute()


def double_name_by_update() -> None:
    Author.create(name="John", age=1)
    Author.update(name="Jane").execute()


@pytest.mark.parametrize(
    "write", [double_key, double_name, double_name_of_many, double_name_by_update]
)
@pytest.mark.usefixtures("database")
def test_a_value_that_is_there_already(write: Callable[[], None]) -> None:
    with pytest.raises(UniqueViolation) as raised:
        write()
    assert isinstance(raised.value, peewee.IntegrityError)


def no_parent() -> None:
    Book.create(title="Ulysses", author=2)


def no_parent_by_update() -> None:
    Book.update(author=2).execute()


def parent_with_children() -> None:
    Author.delete().execute()


@pytest.mark.parametrize(
    "write", [no_parent, no_parent_by_update, parent_with_children]
)
@pytest.mark.usefixtures("database")
def test_a_row_that_is_missing(write: Callable[[], None]) -> None:
    with pytest.raises(ForeignKeyViolation) as raised:
        write()
    assert isinstance(raised.value, peewee.IntegrityError)


def no_value() -> None:
    Author.insert(name=None, age=1).execute()


def wrong_value() -> None:
    Author.create(name="John", age=-1)


@pytest.mark.parametrize("write", [no_value, wrong_value])
@pytest.mark.usefixtures("database")
def test_another_constraint_is_neither(write: Callable[[], None]) -> None:
    with pytest.raises(peewee.DatabaseError) as raised:
        write()
    assert not isinstance(raised.value, UniqueViolation | ForeignKeyViolation)


@on("sqlite")
def test_what_a_trigger_raises_is_neither(database: Connection) -> None:
    database.execute_sql(
        "CREATE TRIGGER t BEFORE INSERT ON author "
        "BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: FOREIGN KEY'); END"
    )
    with pytest.raises(peewee.IntegrityError) as raised:
        Author.create(name="John", age=1)
    assert type(raised.value) is peewee.IntegrityError


DEFERRED = {
    "sqlite": ["PRAGMA defer_foreign_keys = 1"],
    "postgresql": [
        "ALTER TABLE book ALTER CONSTRAINT book_author_id_fkey DEFERRABLE",
        "ALTER TABLE author ADD UNIQUE (age) DEFERRABLE",
        "SET CONSTRAINTS ALL DEFERRED",
    ],
}


@on("sqlite", "postgresql")
def test_a_constraint_that_is_checked_at_the_commit(
    database: Connection, engine: str
) -> None:
    @database.atomic()  # type: ignore[untyped-decorator]
    def deferred(write: Callable[[], None]) -> None:
        for statement in DEFERRED[engine]:
            database.execute_sql(statement)
        write()
        done.append(write)  # The COMMIT fails later.

    def double_age() -> None:
        Author.create(name="John", age=41)

    done: list[Callable[[], None]] = []
    with pytest.raises(ForeignKeyViolation):
        deferred(no_parent)
    assert done == [no_parent]
    assert Book.select().count() == 1
    if engine == "postgresql":
        with pytest.raises(UniqueViolation):
            deferred(double_age)
        assert done == [no_parent, double_age]
        assert Author.select().count() == 1


def test_the_drivers_error_is_the_cause(database: Connection) -> None:
    with pytest.raises(UniqueViolation) as raised:
        double_name()
    cause = raised.value.__cause__
    assert cause is not None
    assert cause.args == raised.value.args
    assert cause is driver_error(raised.value)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (peewee.InternalError(psycopg.errors.ReadOnlySqlTransaction()), "unreachable"),
        (peewee.InternalError(psycopg.errors.InFailedSqlTransaction()), None),
        (peewee.OperationalError(psycopg.errors.TooManyConnections()), "busy"),
        (peewee.OperationalError(psycopg.errors.AdminShutdown()), "unreachable"),
        (peewee.InterfaceError(psycopg.InterfaceError("closed")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(1040, "")), "busy"),
        (peewee.OperationalError(pymysql.OperationalError(1047, "")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(2013, "")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(1054, "column")), None),
        (peewee.OperationalError(pymysql.OperationalError(3819, "check")), None),
        (peewee.InterfaceError(pymysql.InterfaceError(0, "")), "unreachable"),
        (peewee.InternalError(pymysql.InternalError("Packet")), "unreachable"),
        (peewee.NotSupportedError(psycopg.errors.FeatureNotSupported()), "busy"),
        (peewee.OperationalError(psycopg.OperationalError("too many")), "busy"),
        (peewee.ProgrammingError(psycopg.errors.UndefinedTable()), None),
        (ValueError(), None),
    ],
)
def test_why_unavailable(error: Exception, why: str | None) -> None:
    assert why_unavailable(error) == why


@on("mariadb")
def test_a_value_that_does_not_fit_is_not_in_the_error(database: Connection) -> None:
    statements = (
        "UPDATE author SET age = 'secret' + 1",
        "UPDATE author SET age = CAST('secret' AS DATE)",
        "SELECT secret secret secret",
        "INSERT INTO author (name, age) VALUES ('secret', 1), ('secret', 1)",
    )
    for statement in statements:
        with pytest.raises(peewee.DatabaseError) as raised:
            database.execute_sql(statement)
        assert "secret" in str(raised.value)
        assert "secret" not in str(without_values(raised.value))
