"""Statements: built once for each kind of database, run with any values."""

import pytest
from peewee import IntegrityError, QueryEvent

from peewee_app.database import Pool, db
from peewee_app.migrations import migrate
from peewee_app.models import Item, User
from peewee_app.statement import GIVEN, Statement

BY_EMAIL = Statement(User.select(User.id, User.email).where(User.email == GIVEN))
PAGE = Statement(User.select(User.id).order_by(User.id).limit(GIVEN).offset(GIVEN))
NEW = Statement(Item.insert(title=GIVEN, description=GIVEN, owner=GIVEN))


@pytest.fixture(autouse=True)
def two_users(pool: Pool) -> None:
    with pool.connection():
        for email in ("a'b", "c"):
            User.create(email=email, hashed_password="")


def test_rows(pool: Pool) -> None:
    with pool.connection():
        assert BY_EMAIL.rows("a'b") == [(1, "a'b")]
        assert BY_EMAIL.rows("b") == []
        assert PAGE.rows(10, 0) == [(1,), (2,)]
        assert PAGE.rows(10, 1) == [(2,)]
        assert PAGE.rows(0, 0) == []


def test_new_id(pool: Pool) -> None:
    with pool.connection():
        for title in ("Foo", "Bar"):
            item = Item.get_by_id(NEW.new_id(title, None, 2))
            assert (item.title, item.description, item.owner_id) == (title, None, 2)
        with pytest.raises(IntegrityError):
            NEW.new_id("Foo", None, 3)


def test_values_are_parameters(pool: Pool) -> None:
    events: list[QueryEvent] = []
    with pool.connection():
        db.query_hooks.append(events.append)
        BY_EMAIL.rows("' OR 1 = 1 --")
        BY_EMAIL.rows("c")
        db.query_hooks.clear()
    assert events[0].sql == events[1].sql
    assert [list(event.params) for event in events] == [["' OR 1 = 1 --"], ["c"]]


def test_it_runs_on_the_database_of_the_scope(pool: Pool) -> None:
    other = Pool("sqlite://", size=1, timeout=1)
    migrate(other)
    with pool.connection():
        assert len(PAGE.rows(10, 0)) == 2
    with other.connection():
        assert PAGE.rows(10, 0) == []
    other.close()
