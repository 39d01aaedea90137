"""INSERT of one row: the SQL is Peewee's own, built once for each set of columns."""

from collections.abc import Iterator
from typing import Any

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peewee import SQL, AutoField, CharField, ForeignKeyField, IntegerField, Model, fn

from peewee_app.fastapi_peewee import ContextDatabase, connect, connector, inserts

db = ContextDatabase()


class Shouted(CharField):
    """A field that converts its values; one to SQL."""

    def db_value(self, value: str) -> Any:
        return SQL("'?'") if value == "?" else value.upper()


class Author(Model):
    id = AutoField()
    name = Shouted(column_name="called")
    age = IntegerField(null=True)

    class Meta:
        database = db


class Book(Model):
    id = AutoField()
    title = CharField()
    pages = IntegerField(default=100)
    author = ForeignKeyField(Author, null=True)

    class Meta:
        database = db


@pytest.fixture(autouse=True)
def database(url: str) -> Iterator[None]:
    inserts._kept.clear()
    with connect(db, connector(url)):
        db.create_tables([Author, Book])
        yield
        db.drop_tables([Author, Book])


def insert(query: Any) -> Any:
    """Run the insert; see that it is Peewee's. Return the row's key."""
    seen: list[peewee.QueryEvent] = []
    db.query_hooks.append(seen.append)
    try:
        key = query.execute()
    finally:
        db.query_hooks.remove(seen.append)
    assert (seen[0].sql, list(seen[0].params)) == query.sql()
    return key


NAMES = st.sampled_from(["?", "a", "é"])
AGES = st.none() | st.integers(0, 9) | st.just(SQL("1 + 1"))
AUTHORS = st.fixed_dictionaries({"name": NAMES}, optional={"age": AGES})
BOOKS = st.fixed_dictionaries(
    {"title": NAMES | st.just(fn.UPPER("a"))},
    optional={
        "pages": AGES.filter(lambda pages: pages is not None),
        "author": st.none() | st.just(9999) | st.just(Author(id=9999)),
    },
)


@given(st.lists(st.tuples(AUTHORS, BOOKS), min_size=1, max_size=8))
def test_sql_and_values_are_peewees(rows: list[tuple[Any, Any]]) -> None:
    with db.atomic() as transaction:
        Author.create(id=9999, name="first")
        for author, book in rows:
            insert(Author.insert(author))
            key = insert(Book.insert(book))
            assert Book.get_by_id(key).pages == book.get("pages", 100) or (
                isinstance(book["pages"], SQL) and Book.get_by_id(key).pages == 2
            )
        transaction.rollback()


def test_the_sql_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = []
    build: Any = peewee.ModelInsert.__sql__

    def count(self: Any, context: Any) -> Any:
        builds.append(self)
        return build(self, context)

    monkeypatch.setattr(peewee.ModelInsert, "__sql__", count)
    for name in ("a", "b", "c"):
        Author.create(name=name, age=1)
    assert len(builds) == 1
    assert [author.name for author in Author.select()] == ["A", "B", "C"]


def test_what_a_program_changes_is_in_the_next_insert() -> None:
    author = Author.create(name="a")
    key = insert(Book.insert(title="a", pages=1, author=author))
    found = insert(Book.insert(title="a", pages=1).returning(Book.title, Book.id))
    assert [book.id for book in found] == [key + 1]
    Author._meta.set_table_name("writer")
    try:
        db.create_tables([Author])
        insert(Author.insert(name="b"))
        assert Author.select().count() == 1
        db.drop_tables([Author])
    finally:
        Author._meta.set_table_name("author")
    shouted = Author.name
    Author._meta.remove_field("name")
    Author._meta.add_field("name", CharField(column_name="called"))
    try:
        assert Author.get_by_id(insert(Author.insert(name="c"))).name == "c"
    finally:
        Author._meta.remove_field("name")
        Author._meta.add_field("name", shouted)


def test_another_kind_of_insert_is_peewees() -> None:
    query = Author.insert(id=7001, name="a", age=1)
    insert(query)
    insert(query.on_conflict_ignore())
    assert insert(Author.insert(id=7002, name="b", age=1).as_rowcount()) == 1
    insert(Author.insert_many([{"name": "c"}, {"name": "d"}]))
    insert(Author.insert_from(Author.select(Author.name), [Author.name]))
    assert Author.select().count() == 8


def test_it_runs_on_another_database() -> None:
    Author.create(name="a")
    other = peewee.SqliteDatabase(":memory:")
    with other.bind_ctx([Author]):
        other.create_tables([Author])
        Author.create(name="b")
        assert Author.select().count() == 1
        # The model's own database is the other one.
        db.execute(Author.insert(name="c"))
    other.close()
    assert [author.name for author in Author.select()] == ["A", "C"]


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserts, "MAX_KEPT", 2)
    for row in ({"name": "a"}, {"name": "a", "age": 1}, {"name": "a", "id": 7777}):
        insert(Author.insert(row))
        assert len(inserts._kept) <= 2
