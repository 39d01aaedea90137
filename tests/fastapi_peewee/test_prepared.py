"""Prepared queries: the SQL is Peewee's own, built once for each shape."""

import datetime
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DatabaseProxy,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    ModelSelect,
    QueryEvent,
    SqliteDatabase,
    fn,
)

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    connect,
    connector,
    prepared,
    prepared_first,
)

db = ContextDatabase()

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5)


class Shouted(CharField):
    """A field that converts its values."""

    def db_value(self, value: Any) -> Any:
        return value if value is None else value.upper()


class User(Model):
    items: Any
    id = AutoField()
    email = CharField(unique=True)
    hashed_password = CharField()
    is_active = BooleanField(default=True)

    class Meta:
        database = db


class Item(Model):
    id = AutoField()
    title = CharField()
    owner = ForeignKeyField(User, backref="items")

    class Meta:
        database = db


class Event(Model):
    name = Shouted()
    at = DateTimeField()
    size = IntegerField(null=True)

    class Meta:
        database = db


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    pool = Pool(db, connector(url), size=1, timeout=1)
    with pool.connection():
        db.create_tables([User, Item])
    yield pool
    pool.close()


def by_id(user_id: int) -> "ModelSelect[User]":
    return User.select().where(User.id == user_id)


def page(skip: int = 0, limit: int = 10, after: int | None = None) -> Any:
    users = User.select().order_by(User.id).offset(skip).limit(limit)
    return users if after is None else users.where(User.id > after)


def one_of(ids: list[int], email: str | None = None) -> Any:
    users = User.select(User.id, User.email).where(User.id.in_(ids))
    return users if email is None else users.where(User.email == email)


def like(pattern: str) -> Any:
    return User.select().where((User.email % pattern) | (User.email**pattern))


def with_items(title: str, at_least: int) -> Any:
    items = Item.select(Item.owner).where(Item.title == title)
    return (
        User.select(User.id, fn.COUNT(User.id).alias("number"))
        .join(Item)
        .where(User.id.in_(items))
        .group_by(User.id)
        .having(fn.COUNT(User.id) >= at_least)
    )


def of_owner(owner: User | int) -> Any:
    return Item.select().where(Item.owner == owner)


def between(low: int, high: int, active: bool) -> Any:
    return User.select().where(User.id.between(low, high), User.is_active == active)


def events(name: str, since: datetime.datetime, size: int | None) -> Any:
    found = Event.select().where(Event.name == name, Event.at >= since)
    return found.where(Event.size.is_null() if size is None else Event.size == size)


CALLS: list[tuple[Callable[..., Any], list[tuple[Any, ...]]]] = [
    (by_id, [(1,), (2,), (2**31 - 1,)]),
    (page, [(), (5,), (5, 1), (0, 3, 7), (1, 2, 0)]),
    (one_of, [([1],), ([3, 4],), ([5, 6], "a"), ([],), ([7, 8], "b")]),
    (like, [("a",), ("' OR 1 = 1 --",)]),
    (with_items, [("Foo", 1), ("Bar", 2)]),
    (of_owner, [(1,), (User(id=2),)]),
    (between, [(1, 2, True), (3, 4, False)]),
    (events, [("a", MOMENT, None), ("b", MOMENT, 1), ("c", MOMENT, 2)]),
]


@pytest.mark.parametrize(("function", "calls"), CALLS)
def test_sql_and_values_are_those_that_peewee_makes_for_the_same_call(
    pool: Pool, function: Callable[..., Any], calls: list[tuple[Any, ...]]
) -> None:
    query = prepared(function)
    with pool.connection():
        for _ in range(2):
            for call in calls:
                sql, values = function(*call).sql()
                assert query(*call).sql() == (sql, values)


def test_the_function_is_not_called_again_for_the_same_shape(pool: Pool) -> None:
    calls = []

    @prepared
    def users(ids: list[int], after: int | None = None) -> "ModelSelect[User]":
        calls.append(after)
        found = User.select().where(User.id.in_(ids))
        return found if after is None else found.where(User.id > after)

    with pool.connection():
        db.execute_sql("SELECT 1")  # Peewee learns the server's version.
        for number in range(5):
            users([number])
            users(ids=[number, 2], after=number)
            if number == 0:
                calls.clear()
    assert calls == []


def test_json_is_refused_which_peewee_may_wrap(pool: Pool) -> None:
    class Doc(Model):
        data = JSONField()

        class Meta:
            database = db

    @prepared
    def docs(data: Any) -> "ModelSelect[Doc]":
        return Doc.select().where(Doc.data == data)

    with pool.connection(), pytest.raises(TypeError, match=r"JSON|cannot be prepared"):
        docs({"a": 1})


def test_a_value_of_another_type_is_another_shape(pool: Pool) -> None:
    def users(name: Any) -> "ModelSelect[User]":
        column = User.email if isinstance(name, str) else User.id
        return User.select().where(column == name)

    query = prepared(users)
    with pool.connection():
        assert list(query(1)) == list(users(1))
        with pytest.raises(TypeError, match="cannot be prepared"):
            query("a")


def test_the_first_row_is_peewees_whatever_the_limit(pool: Pool) -> None:
    def users(limit: int, offset: int) -> "ModelSelect[User]":
        return User.select().order_by(User.id).limit(limit).offset(offset)

    query = prepared(users)
    with pool.connection():
        for email in "ab":
            User.create(email=email, hashed_password="x")
        for limits in ((0, 0), (1, 0), (2, 1)):
            assert query(*limits).first() == users(*limits).first()
            assert query(*limits).get() == users(*limits).get()
            assert query(*limits).dicts().get() == users(*limits).dicts().get()


def test_a_join_is_counted(pool: Pool) -> None:
    def items(email: str) -> "ModelSelect[Item]":
        return Item.select(Item, User).join(User).where(User.email == email)

    with pool.connection():
        user = User.create(email="a", hashed_password="x")
        Item.create(title="t", owner=user)
        assert prepared(items)("a").count() == items("a").count() == 1


def test_rows_are_instances(pool: Pool) -> None:
    with pool.connection():
        first, second = (User.create(email=e, hashed_password="x") for e in "ab")
        query = prepared(page)()
        assert list(query) == [first, second]
        assert [user.is_active for user in query] == [True, True]
        assert query[1].email == "b"
        assert len(query) == 2
        assert prepared(by_id)(2).first() == second
        assert prepared(by_id)(3).first() is None
        assert prepared_first(by_id)(1) == first
        assert prepared_first(by_id)(3) is None


def test_values_are_parameters(pool: Pool) -> None:
    seen: list[QueryEvent] = []
    query = prepared(one_of)
    with pool.connection():
        list(query([1], "a"))
        db.query_hooks.append(seen.append)
        for email in ("' OR 1 = 1 --", "c"):
            list(query([1], email))
    assert seen[0].sql == seen[1].sql
    assert [event.params[-1] for event in seen] == ["' OR 1 = 1 --", "c"]


def test_what_peewee_converts_is_converted(pool: Pool) -> None:
    with pool.connection():
        db.create_tables([Event])
        created = Event.create(name="party", at=MOMENT, size=None)
        found = prepared(events)("Party", MOMENT, None).first()
        assert found == created
        assert found is not None
        assert (found.name, found.at) == ("PARTY", MOMENT)


def test_it_runs_on_the_database_of_the_scope(pool: Pool) -> None:
    query = prepared(page)
    with pool.connection():
        User.create(email="a", hashed_password="")
        assert len(list(query())) == 1
    with connect(db, "sqlite://"):
        db.create_tables([User])
        assert list(query()) == []


def test_it_runs_on_the_database_that_the_model_is_bound_to(pool: Pool) -> None:
    query = prepared(page)
    other = SqliteDatabase(":memory:")
    with pool.connection():
        User.create(email="a", hashed_password="")
        with other.bind_ctx([User, Item]):
            other.create_tables([User, Item])
            assert list(query()) == []
            User.create(email="b", hashed_password="")
            assert [user.email for user in query()] == ["b"]
        assert [user.email for user in query()] == ["a"]
    other.close()


def test_a_table_that_is_renamed_is_read_at_once(stored: None) -> None:
    @prepared
    def of_items(title: str) -> Any:
        items = Item.select(Item.owner).where(Item.title == title)
        return User.select().where(User.id.in_(items))

    query = prepared(joined)
    assert query("Foo").first() is not None
    assert of_items("Foo").first() is not None
    for model in (User, Item):
        name = model._meta.table_name
        model._meta.set_table_name(f"other_{name}")
        try:
            db.create_tables([User, Item])
            assert query("Foo").first() is None
            assert of_items("Foo").first() is None
        finally:
            db.drop_tables([model])
            model._meta.set_table_name(name)
    assert query("Foo").first() is not None


def test_a_proxy_of_peewee_can_be_the_database() -> None:
    proxy = DatabaseProxy()

    class Thing(Model):
        id = AutoField()

        class Meta:
            database = proxy

    proxy.initialize(SqliteDatabase(":memory:"))
    proxy.create_tables([Thing])
    thing = Thing.create()
    query = prepared(lambda number: Thing.select().where(Thing.id == number))
    assert query(1).first() == thing
    proxy.close()


@pytest.mark.parametrize(
    "use",
    [bool, int, str, list, lambda value: value == 1, lambda value: value < 1],
)
def test_a_query_that_depends_on_a_value_is_refused(
    pool: Pool, use: Callable[[Any], Any]
) -> None:
    @prepared
    def users(limit: int) -> "ModelSelect[User]":
        return User.select().limit(10 if use(limit) else 20)

    with pool.connection(), pytest.raises(TypeError, match="any value of 'limit'"):
        users(1)


@pytest.mark.parametrize("method", ["contains", "startswith", "endswith"])
def test_a_pattern_that_peewee_makes_of_a_value_is_refused(
    pool: Pool, method: str
) -> None:
    """Refuse it: Peewee cannot escape wildcards in a placeholder."""

    @prepared
    def users(text: str) -> "ModelSelect[User]":
        return User.select().where(getattr(User.email, method)(text))

    with pool.connection(), pytest.raises(TypeError, match="Leave the decorator out"):
        users("50%")


@pytest.mark.parametrize(
    "query",
    [
        lambda: User.update(is_active=False),
        lambda: User.select().with_related(User.items),
        lambda: None,
    ],
)
def test_what_is_more_than_a_select_is_refused(
    pool: Pool, query: Callable[[], Any]
) -> None:
    with pool.connection(), pytest.raises(TypeError, match=r"select\(\)"):
        prepared(query)()


@pytest.mark.parametrize("arguments", [(), (1, 2), ("x", 1, 2, 3, 4)])
def test_a_wrong_call_is_a_type_error(pool: Pool, arguments: tuple[Any, ...]) -> None:
    with pool.connection():
        with pytest.raises(TypeError, match="argument"):
            prepared(by_id)(*arguments)
        with pytest.raises(TypeError, match="argument"):
            prepared(by_id)(user=1)  # type: ignore[call-arg]


def test_the_function_keeps_its_name_and_its_plain_query(pool: Pool) -> None:
    query = prepared(by_id)
    assert query.__name__ == "by_id"  # type: ignore[attr-defined]
    with pool.connection():
        assert isinstance(query.plain(1), ModelSelect)


@pytest.fixture
def stored(pool: Pool) -> Iterator[None]:
    """Two users; the first has an item."""
    with pool.connection():
        first, _ = (User.create(email=e, hashed_password="x") for e in "ab")
        Item.create(title="Foo", owner=first)
        yield


def joined(title: str) -> Any:
    query = Item.select(Item, User).join(User)
    return query.where(Item.title == title)


def with_number(at_least: int) -> Any:
    number = Item.select(fn.COUNT(Item.id)).where(Item.owner == User.id)
    query = User.select(User, number.alias("number")).order_by(User.id)
    return query.where(number >= at_least)


def as_dicts(limit: int) -> Any:
    return User.select(User.email).order_by(User.id).limit(limit).dicts()


def as_tuples(limit: int) -> Any:
    return User.select(User.id, User.email).order_by(User.id).limit(limit).tuples()


def bound(title: str) -> Any:
    upper = fn.UPPER(Item.title).alias("upper").bind_to(User)
    return Item.select(Item, User, upper).join(User).where(Item.title == title)


def seen(row: Any) -> Any:
    if not isinstance(row, Item | User):
        return row
    owner = row.__rel__.get("owner")
    return (
        row.__data__,
        vars(row).get("number"),
        owner
        and (
            owner.__data__,
            vars(owner).get("upper"),
        ),
    )


@pytest.mark.parametrize(
    ("function", "argument"),
    [(joined, "Foo"), (with_number, 0), (as_dicts, 9), (as_tuples, 1), (bound, "Foo")],
)
def test_rows_are_those_of_the_plain_query(
    stored: None, function: Callable[..., Any], argument: Any
) -> None:
    query = prepared(function)
    for _ in range(2):
        plain = function(argument)
        assert list(map(seen, query(argument))) == list(map(seen, plain))
        assert query(argument).count() == plain.count()


def test_other_rows_can_be_asked_for(stored: None) -> None:
    query = prepared(page)
    assert list(query().dicts()) == list(page().dicts())
    assert list(query().tuples()) == list(page().tuples())
    assert next(iter(query().namedtuples())).email == "a"


def test_lists_of_every_length_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules[prepared.__module__], "MAX_KEPT", 10)
    few = prepared(one_of)
    with connect(db, "sqlite://"):
        User.create_table()
        User.create(id=1, email="a", hashed_password="")
        tracemalloc.start()
        for length in range(2, 300):  # Each is a shape of its own.
            (user,) = few(list(range(length)))
            assert user.id == 1
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert grown < 2_000_000
