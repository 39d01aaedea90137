"""Inserts: the SQL is Peewee's own, built once for each set of columns."""

import datetime
from collections.abc import Iterator
from itertools import count
from typing import Any

import peewee
import pytest
from peewee import (
    AutoField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelInsert,
    fn,
)

from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, prepared_insert
from peewee_app.models import Item, User

from ..engines import on
from ..queries import queries_with_values

numbers = count(1)


class Shouted(CharField):
    """A field whose values are other ones in the database."""

    def db_value(self, value: Any) -> Any:
        return value if value is None else value.upper()


class Computed(IntegerField):
    """A field that the database computes."""

    def db_value(self, value: Any) -> Any:
        return value if value is None else fn.ABS(value)


class Place(Model):
    id = AutoField()
    name = Shouted()

    class Meta:
        database = db


class Event(Model):
    id = AutoField()
    name = Shouted()
    at = DateTimeField(null=True)
    size = IntegerField(default=1)
    number = IntegerField(default=lambda: next(numbers))
    computed = Computed(null=True)
    place = ForeignKeyField(Place, null=True)

    class Meta:
        database = db


FULL = {"name": "a", "size": 1, "number": 1}
MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5)


@pytest.fixture
def _tables(pool: Pool) -> Iterator[None]:
    with pool.connection():
        db.create_tables([Place, Event])
        Place.create(name="here")
        yield
        db.drop_tables([Event, Place])


INSERTS: list[dict[str, Any]] = [
    FULL,
    {**FULL, "name": "' || 1 -- %s ?"},
    {"number": 3, "size": 2, "name": "other order"},
    {**FULL, "size": "7"},
    {**FULL, "size": True},
    {**FULL, "at": None},
    {**FULL, "at": MOMENT},
    {**FULL, "place": 1},
    {**FULL, "place": Place(id=1)},
    {**FULL, "place": None},
    # The value is SQL.
    {**FULL, "size": fn.ABS(-1)},
    # The field makes SQL of it, but not of each.
    {**FULL, "computed": None},
    {**FULL, "computed": -1},
    {"number": 1, "size": 1, "name": "computed first", "computed": -1},
    {"number": 1, "size": 1, "name": "computed first", "computed": None},
]


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize("rows", [2 * INSERTS, INSERTS[::-1]])
def test_sql_and_values_are_those_that_peewee_makes(
    rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_insert, "_statements", {})
    for row in rows:
        insert = Event.insert(**row)
        sql, values = insert.sql()
        with queries_with_values() as statements:
            key = insert.execute()
        assert statements == [(sql, values)]
        assert Event.get_by_id(key).name == row["name"].upper()


@pytest.mark.usefixtures("_tables")
def test_a_default_is_called_for_each_row() -> None:
    for create in (Event.create, lambda **row: Event.insert(**row).execute()):
        for _ in range(2):
            create(name="a")
    found = [event.number for event in Event.select().order_by(Event.id)]
    assert found == list(range(found[0], found[0] + 4))


@pytest.mark.usefixtures("_tables")
def test_other_inserts_are_as_ever() -> None:
    rows = [FULL, {**FULL, "name": "b"}]
    for _ in range(2):
        Event.insert(**FULL).execute()
        assert Event.insert(**FULL).as_rowcount().execute() == 1
        Event.insert_many(rows).execute()
        names = Event.select(Event.name, Event.size, Event.number)
        fields = [Event.name, Event.size, Event.number]
        Event.insert_from(names.where(Event.name == "b"), fields).execute()
    assert Event.select().count() == 2 * 2 + 2 * 2 + 1 + 3


@pytest.mark.usefixtures("_tables")
@on("sqlite", "postgresql")
def test_what_a_conflict_does_and_what_is_returned() -> None:
    taken = {**FULL, "id": 7}
    Event.insert(**taken).execute()
    Event.insert(**taken).on_conflict_ignore().execute()
    with pytest.raises(peewee.IntegrityError):
        Event.insert(**taken).execute()
    (event,) = Event.insert(**FULL).returning(Event.name, Event.size).execute()
    assert (event.name, event.size) == ("A", 1)
    assert Event.select().count() == 2


def test_the_sql_is_built_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    build: Any = ModelInsert.__sql__

    def counted(insert: Any, ctx: Any) -> Any:
        built.append(insert)
        return build(insert, ctx)

    monkeypatch.setattr(ModelInsert, "__sql__", counted)
    with pool.connection():
        user = User.create(email="a", hashed_password="")
        Item.create(title="a", owner=user)
        built.clear()
        for n in range(3):
            Item.create(title=f"{n}", owner=user.id)
            User.create(email=f"{n}", hashed_password="", is_active=False)
        assert Item.select().count() == User.select().count() == 4
    assert built == []
