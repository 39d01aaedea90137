"""Pages of any order, by any kind of key: each row once, in its place."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from inspect import isfunction
from itertools import chain
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from peewee import (
    JOIN,
    SQL,
    AutoField,
    BigAutoField,
    CharField,
    CompositeKey,
    DateTimeField,
    DecimalField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelSelect,
    QueryEvent,
    TextField,
    UUIDField,
    fn,
)

from peewee_app.fastapi_peewee import (
    BigId,
    ContextDatabase,
    Id,
    Page,
    PageQuery,
    PageRequest,
    PeeweeGetterDict,
    PeeweeRoute,
    Pool,
    Text,
    connect,
    connector,
    page_after,
    prepared,
)

from ..engines import on

db = ContextDatabase()


class Base(Model):
    class Meta:
        database = db
        legacy_table_names = False


class Owner(Base):
    id = AutoField()
    name = CharField(null=True)


class Row(Base):
    """Row of a page: many are equal in these columns."""

    label = IntegerField()
    number = IntegerField()
    word = TextField(null=True)
    moment = DateTimeField(null=True)
    ratio = FloatField(null=True)
    price = DecimalField(null=True)
    owner = ForeignKeyField(Owner, null=True)


class Small(Row):
    id = AutoField()


class Big(Row):
    id = BigAutoField()


class Named(Row):
    name = CharField(primary_key=True, max_length=50)


class Unique(Row):
    key = UUIDField(primary_key=True)


class Owned(Row):
    """Keyed by a foreign key."""

    of = ForeignKeyField(Owner, primary_key=True)


class Pair(Row):
    left = IntegerField()
    right = CharField(max_length=50)

    class Meta:
        primary_key = CompositeKey("left", "right")


# Key of the n-th row; keys are in another order.
KEYS: dict[type[Row], Callable[[int], dict[str, Any]]] = {
    Small: lambda n: {"id": n * 7 % 31 + 1},
    Big: lambda n: {"id": n * 7 % 31 + 2**40},
    Named: lambda n: {"name": 'a,%é/ B"'[n % 8] + str(n)},
    Unique: lambda n: {"key": UUID(int=n * 7 % 31 << 100)},
    Owned: lambda n: {"of": n * 7 % 31 + 1},
    Pair: lambda n: {"left": n * 7 % 3, "right": f'a,"é {n}'},
}
TYPES = {
    Small: Id,
    Big: BigId,
    Named: Text,
    Unique: UUID,
    Owned: Id,
    Pair: tuple[Id, Text],
}
MODELS = [Owner, *KEYS]


class Label(PeeweeGetterDict):
    """A schema without the key."""

    label: int


ROW = st.fixed_dictionaries(
    {
        "number": st.integers(0, 2),
        "word": st.sampled_from([None, "", "a", "A", "b", "é"]),
        "moment": st.sampled_from([None, datetime(2026, 1, 1), datetime(2026, 1, 2)]),
        "ratio": st.sampled_from([None, 0.1, 1 / 3, -1.0, 1e10]),
        "price": st.sampled_from([None, Decimal("0.10"), Decimal("9.99")]),
        "owner": st.sampled_from([None, 1, 2, 3]),
    }
)
FIELDS = ("number", "word", "moment", "ratio", "price", "owner")
EXPRESSIONS: list[Callable[[type[Row]], Any]] = [
    *(lambda model, name=name: getattr(model, name) for name in FIELDS),
    lambda model: fn.COALESCE(model.word, "b"),
    lambda model: model.number * -1,
    lambda model: model.word.is_null(),
    lambda model: fn.UPPER(model.word).alias("upper"),
    lambda model: Owner.name,
    *(lambda model, i=i: model._meta.get_primary_keys()[-i] for i in (0, 1)),
]
DIRECTIONS: list[Callable[[Any], Any]] = [
    lambda node: node,
    lambda node: node.asc(),
    lambda node: node.desc(),
    *(
        lambda node, way=way, nulls=nulls: getattr(node, way)(nulls=nulls)
        for way in ("asc", "desc")
        for nulls in ("first", "last")
    ),
]
ORDERS = st.lists(
    st.tuples(st.sampled_from(EXPRESSIONS), st.sampled_from(DIRECTIONS)), max_size=3
)


@dataclass
class Lists:
    """Query of the routes; a test changes it."""

    query: Callable[[], Any] = Small.select


LISTS = Lists()
# Statements of the routes.
events: list[QueryEvent] = []


@contextmanager
def client_on(url: str) -> Iterator[TestClient]:
    connect_to = connector(url)

    def connect_with_hook() -> Any:
        database = connect_to()
        database.query_hooks.append(events.append)
        return database

    pool = Pool(db, connect_with_hook, size=1, timeout=5)

    async def get_db() -> AsyncIterator[None]:
        async with pool.request():
            yield

    router = APIRouter(
        route_class=PeeweeRoute, dependencies=[Depends(get_db, scope="function")]
    )
    for model, key_type in TYPES.items():
        kind = Annotated[PageRequest, Depends(page_after(key_type))]

        @router.get(f"/{model.__name__}", response_model=list[Label])
        def read(page: kind) -> PageQuery:
            return page.of(LISTS.query())

    @router.get("/page", response_model=list[Label])
    def read_page(page: Page) -> PageQuery:
        return page.of(LISTS.query())

    app = FastAPI()
    app.include_router(router)
    with pool.connection():
        db.create_tables(MODELS)
        Owner.insert_many(
            {"id": n, "name": [None, "a", "b"][n % 3]} for n in range(1, 32)
        ).execute()
    with TestClient(app) as client:
        yield client
    pool.close()


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    with client_on(url) as client:
        yield client


def labels(response: Any) -> list[int]:
    assert response.status_code == 200, response.text
    return [row["label"] for row in response.json()]


def links(response: Any) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    return {relation: target for target, relation in found}


def walk(client: TestClient, response: Any, relation: str) -> list[list[int]]:
    """Return pages from this one on, by a relation's links."""
    pages = [labels(response)]
    while target := links(response).get(relation):
        response = client.get(target)
        pages.append(labels(response))
        assert len(pages) < 100
    return pages


def test_each_row_comes_once_and_in_its_place(
    client: TestClient, engine: str, url: str
) -> None:
    @given(
        model=st.sampled_from(list(KEYS)),
        rows=st.lists(ROW, max_size=9),
        order=ORDERS,
        limit=st.integers(1, 4),
        is_filtered=st.booleans(),
    )
    @settings(
        max_examples=100 if engine == "sqlite" else 30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def check(
        model: type[Row],
        rows: list[dict[str, Any]],
        order: list[tuple[Any, Any]],
        limit: int,
        is_filtered: bool,
    ) -> None:
        expressions = [expression(model) for expression, _ in order]
        nodes = [order[n][1](node) for n, node in enumerate(expressions)]
        aliases = [node for node in expressions if node.is_alias()]
        query = model.select(model, *aliases).order_by(*nodes)
        query = query.join(Owner, JOIN.LEFT_OUTER, on=(model.owner == Owner.id))
        if is_filtered:
            query = query.where(model.number != 1)
        with pool.connection(), db.atomic():
            model.delete().execute()
            for n, row in enumerate(rows):
                model.insert(row | {"label": n} | KEYS[model](n)).execute()
            keys = model._meta.get_primary_keys()
            if nodes and getattr(nodes[-1], "direction", "ASC") == "DESC":
                keys = [key.desc() for key in keys]
            expected = [row.label for row in query.order_by(*nodes, *keys)]
            note(f"{expected} by {query.sql()} of {rows}")
        LISTS.query = lambda: query
        path = f"/{model.__name__}"
        first = client.get(path, params={"limit": limit})
        pages = walk(client, first, "next")
        assert [*chain(*pages)] == expected
        assert all(len(page) == limit for page in pages[:-1])
        # And back, from the last one, and from a `skip`.
        last = first
        while target := links(last).get("next"):
            last = client.get(target)
        assert walk(client, last, "prev") == pages[::-1]
        skipped = client.get(path, params={"limit": limit, "skip": 1})
        assert [*chain(*walk(client, skipped, "next"))] == expected[1:]

    pool = Pool(db, connector(url), size=1, timeout=5)
    check()
    pool.close()


def fill(url: str, count: int = 5) -> None:
    """Fill Small with the numbers 0, 1, 0, 1, …"""
    with connect(db, url):
        for n in range(count):
            Small.create(id=n + 1, label=n, number=n % 2)


def get(client: TestClient, query: Any, **parameters: Any) -> Any:
    LISTS.query = query if isfunction(query) else lambda: query
    return client.get("/page", params=parameters)


@on("sqlite", "postgresql")
def test_a_row_that_has_left_the_list(client: TestClient, url: str) -> None:
    """Refuse it, since its place is unknown, like that of another list's row."""
    fill(url)
    query = Small.select().where(Small.number == 0).order_by(Small.label.desc())
    assert labels(get(client, query, limit=1, after=5)) == [2]
    for after in (2, 99):  # One is in another list, one was deleted.
        gone = get(client, query, limit=1, after=after)
        assert gone.status_code == 404
        assert "Start again with the first page" in gone.json()["detail"]
        assert "Link" not in gone.headers
    # By the key alone, a place is known without the row.
    by_key = Small.select().order_by(Small.id.desc())
    assert labels(get(client, by_key, limit=1, after=99)) == [4]


@on("sqlite", "postgresql")
def test_groups(client: TestClient, url: str) -> None:
    fill(url)
    other = Small.alias()
    count = fn.COUNT(other.id).alias("count")
    query = (
        Small.select(Small, count)
        .join(other, on=(other.number == Small.number))
        .group_by(Small)
        .order_by(count.desc())
    )
    pages = walk(client, get(client, query, limit=2), "next")
    assert pages == [[4, 2], [0, 3], [1]]
    assert labels(get(client, query.distinct(), limit=2, after=3)) == [0, 3]


@on("sqlite")
def test_an_alias_of_a_model_and_few_columns(client: TestClient, url: str) -> None:
    fill(url)
    alias = Small.alias()
    query = alias.select(alias.label).order_by(alias.number.desc())
    pages = walk(client, get(client, query, limit=2), "next")
    assert pages == [[3, 1], [4, 2], [0]]


@on("sqlite")
def test_the_collation_of_the_order(client: TestClient, url: str) -> None:
    with connect(db, url):
        for n, word in enumerate(["b", "A", "a", "B"]):
            Small.create(label=n, number=0, word=word)
    first = get(client, Small.select().order_by(Small.word.asc("NOCASE")), limit=1)
    assert walk(client, first, "next") == [[1], [2], [0], [3]]


@on("sqlite")
@pytest.mark.parametrize("order", ["id", "number"])
def test_a_query_of_dicts(client: TestClient, url: str, order: str) -> None:
    fill(url)
    query = Small.select().order_by(getattr(Small, order)).dicts()
    first = get(client, query, limit=2)
    pages = walk(client, first, "next")
    assert sorted(chain(*pages)) == [0, 1, 2, 3, 4]
    second = client.get(links(first)["next"])
    assert walk(client, second, "prev") == [pages[1], pages[0]]


@on("sqlite")
def test_a_prepared_query_in_another_order(client: TestClient, url: str) -> None:
    fill(url)

    @prepared
    def get_rows(number: int, skip: int = 0, limit: int = 1) -> "ModelSelect[Small]":
        rows = Small.select().where(Small.number == number)
        return rows.order_by(Small.label.desc()).offset(skip).limit(limit)

    pages = walk(client, get(client, lambda: get_rows(0), limit=2), "next")
    assert pages == [[4, 2], [0]]


@on("sqlite")
def test_the_limit_of_the_query_gives_way(client: TestClient, url: str) -> None:
    fill(url)
    assert labels(get(client, Small.select().offset(1).limit(1))) == [0, 1, 2, 3, 4]


@on("sqlite")
@pytest.mark.parametrize(
    ("query", "message"),
    [
        (lambda: Small.select() | Small.select(), "needs a select"),
        (lambda: Small.select().order_by(SQL("label")), "cannot go on in the order of"),
        (lambda: Small.select().order_by("label"), "cannot go on in the order of"),
        (lambda: Big.select(), r"page_after\(BigId\)"),
        (lambda: Named.select(), r"page_after\(BigId\)"),
    ],
)
def test_what_cannot_be_paged_is_an_error(
    client: TestClient, url: str, query: Callable[[], Any], message: str
) -> None:
    with connect(db, url):
        for n in range(2):
            Named.insert(label=n, number=n, **KEYS[Named](n)).execute()
        chosen = query()
    with pytest.raises(TypeError, match=message) as caught:
        get(client, chosen, limit=1)
    assert caught.value.__suppress_context__ or not caught.value.__context__


@on("sqlite")
@pytest.mark.parametrize("after", ["", "1", "[1]", '["a", "b"]', '[1, "\\u0000"]'])
def test_a_wrong_key_of_two_columns(client: TestClient, after: str) -> None:
    LISTS.query = Pair.select
    response = client.get("/Pair", params={"after": after})
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    assert error["loc"] == ["query", "after"]
    assert "\n" not in error["msg"]


@pytest.mark.parametrize(
    ("order", "first", "later"),
    [(lambda: [Small.id], 1, 2), (lambda: [Small.number, Small.word], 1, 3)],
)
def test_fixed_numbers_of_queries(
    client: TestClient, url: str, order: Any, first: int, later: int
) -> None:
    """Count one for the rows, one for `prev`, and one for `after` if it is not the key
    that orders."""
    fill(url)
    query = Small.select().order_by(*order())
    for after, expected in ((None, first), (3, later)):
        events.clear()
        parameters = {} if after is None else {"after": after}
        assert labels(get(client, query, limit=1, **parameters))
        selects = [event for event in events if event.sql.startswith("SELECT")]
        assert len(selects) == expected
