"""Functions and settings of a database hold for every connection."""

from pathlib import Path
from typing import Any

import pytest
from peewee import AutoField, CharField, Model, OperationalError, QueryEvent, fn

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connect, connector

from ..engines import on


def test_functions_and_the_like_hold_for_every_connection() -> None:
    here: Any = ContextDatabase()

    here.func("shout")(str.upper)

    class Longest:
        def __init__(self) -> None:
            self.text = ""

        def step(self, text: str) -> None:
            self.text = max(self.text, text, key=len)

        def finalize(self) -> str:
            return self.text

    def backwards(left: str, right: str) -> int:
        return (left < right) - (left > right)

    class Many(Longest):
        def inverse(self, text: str) -> None: ...
        def value(self) -> str:
            return self.text

    here.aggregate()(Longest)
    here.collation()(backwards)
    here.window_function("many")(Many)

    class Word(Model):
        id = AutoField()
        text = CharField()

        class Meta:
            database = here

    for _ in range(2):
        with connect(here, "sqlite://"):
            here.create_tables([Word])
            Word.insert_many([{"text": "a"}, {"text": "bb"}]).execute()
            ordered = Word.select().order_by(vars(backwards)["collation"](Word.text))
            assert [word.text for word in ordered] == ["bb", "a"]
            longest = fn.shout(fn.longest(Word.text))
            assert Word.select(longest).scalar() == "BB"
            many = fn.many(Word.text).over(order_by=[Word.id])
            assert list(Word.select(many).tuples()) == [("a",), ("bb",)]


def test_said_within_a_scope_it_holds_for_others_too() -> None:
    here = ContextDatabase()
    connect_to = connector("sqlite://")
    pool = Pool(here, connect_to, size=1, timeout=1)

    def ask(sql: str) -> Any:
        return here.execute_sql(sql).fetchone()[0]

    with pool.connection():
        assert ask("SELECT 1") == 1
        with pool.connection():
            here.register_function(lambda: 2, "two")
            assert ask("SELECT two()") == 2
        with pool.connection():
            assert ask("SELECT two()") == 2
        with pytest.raises(OperationalError, match="two"):
            ask("SELECT two()")  # As with any open connection.
    here.unregister_function("two")
    with pool.connection(), pytest.raises(OperationalError, match="two"):
        ask("SELECT two()")
    with pytest.raises(KeyError):
        here.unregister_function("three")


def test_a_file_can_be_attached_to_every_connection(tmp_path: Path) -> None:
    here = ContextDatabase()
    assert here.attach(str(tmp_path / "other.db"), "other")
    assert not here.attach(str(tmp_path / "other.db"), "other")
    for _ in range(2):
        with connect(here, "sqlite://"):
            here.execute_sql("CREATE TABLE IF NOT EXISTS other.seen (n)")
            assert here.get_tables(schema="other") == ["seen"]


@on("postgresql", "mariadb")
def test_what_the_engine_does_not_have_is_an_error(url: str) -> None:
    here = ContextDatabase()
    with connect(here, url):
        assert not hasattr(here, "register_function")
    here.register_function(len)
    with connect(here, url), pytest.raises(AttributeError, match="register_function"):
        here.connect()


def test_query_hooks_hold_for_every_connection(url: str) -> None:
    here = ContextDatabase()
    shared: list[QueryEvent] = []
    own: list[QueryEvent] = []
    here.query_hooks.append(shared.append)

    def connect_with_hook() -> Any:
        database = connector(url)()
        database.query_hooks.append(own.append)
        return database

    with connect(here, url):
        here.execute_sql("SELECT 1")
    with connect(here, connect_with_hook):
        here.execute_sql("SELECT 2")
        here.query_hooks.remove(shared.append)
        here.execute_sql("SELECT 3")
    assert [event.sql for event in shared] == ["SELECT 1", "SELECT 2"]
    assert [event.sql for event in own] == ["SELECT 2", "SELECT 3"]


@on("postgresql")
def test_an_isolation_level(url: str) -> None:
    here = ContextDatabase()
    here.set_isolation_level("SERIALIZABLE")
    for _ in range(2):
        with connect(here, url), here.atomic():
            level = here.execute_sql("SHOW transaction_isolation").fetchone()
            assert level == ("serializable",)
