"""Tables: the SQLAlchemy tutorial's app and ours on one database file."""

from collections.abc import Iterator
from contextlib import closing

import peewee
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playhouse.migrate import SchemaMigrator
from playhouse.migrate import migrate as apply
from playhouse.schema_diff import diff_models

from comparison.sqlalchemy_app.main import create_app as create_sqlalchemy_app
from peewee_app import crud
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from ..engines import on

# On MySQL the tutorial's app cannot make its tables: its strings have no length.
TUTORIAL = on("sqlite", "postgresql")


@pytest.fixture
def sqlalchemy_client(url: str) -> Iterator[TestClient]:
    with TestClient(create_sqlalchemy_app(url)) as client:
        yield client


def indexes(url: str) -> dict[str, tuple[list[str], bool]]:
    """Return each index's columns, and if it is unique, without primary keys."""
    with closing(connector(url)()) as connection:
        connection.connect()
        return {
            index.name: (index.columns, bool(index.unique))
            for table in ("users", "items")
            for index in connection.get_indexes(table)
            if index.name != "PRIMARY" and not index.name.endswith("_pkey")
        }


@TUTORIAL
def test_a_database_of_the_sqlalchemy_app_is_opened_and_extended(
    sqlalchemy_client: TestClient, app: FastAPI, url: str, engine: str
) -> None:
    first = {"email": "not an email", "password": "x"}
    user = sqlalchemy_client.post("/users/", json=first).json()
    long = {"title": "a" * 300, "description": "b" * 300}
    item = sqlalchemy_client.post("/users/1/items/", json=long).json()
    items = [item]
    if engine == "sqlite":  # It does not enforce the foreign key, unless told to.
        items += [sqlalchemy_client.post("/users/99/items/", json=long).json()]
    before = indexes(url)

    with TestClient(app) as client:
        assert client.get("/users/").json() == [{**user, "items": [item]}]
        assert client.get("/items/").json() == items
        second = {"email": "deadpool@example.com", "password": "x"}
        assert client.post("/users/", json=second).status_code == 200
        assert client.post("/users/", json=second).status_code == 400
        for user_id in (1, 2):
            path = f"/users/{user_id}/items/"
            assert client.post(path, json={"title": "ours"}).status_code == 200
        ours = client.get("/users/").json()
        assert [len(user["items"]) for user in ours] == [2, 1]

    assert sqlalchemy_client.get("/users/").json() == ours
    third = sqlalchemy_client.post("/users/", json=first | {"email": "3"}).json()
    assert third["id"] > 2
    added = [index for name, index in indexes(url).items() if name not in before]
    assert added == [(["owner_id"], False)]
    # The tutorial has needless indexes on primary keys.
    assert changes(url) == [
        "drop index users.ix_users_id (id)",
        "drop index items.ix_items_id (id)",
    ]


def changes(url: str) -> list[str]:
    """Return what `pwmigrate diff` would change."""
    with connect(db, url):
        return str(diff_models(db, [User, Item])).splitlines()


def test_a_database_of_our_former_version_stays_as_it_is(url: str) -> None:
    """Name the indexes like the tutorial."""
    migrate(connector(url))
    with connect(db, url):
        migrator = SchemaMigrator.from_database(db.obj)
        for table, column in (
            ("users", "email"),
            ("items", "title"),
            ("items", "description"),
            ("items", "owner_id"),
        ):
            name, is_unique = f"ix_{table}_{column}", column == "email"
            apply(migrator.add_index(table, [column], is_unique, name=name))
            for index in db.get_indexes(table):
                if index.columns == [column] and index.name != name:
                    apply(migrator.drop_index(table, index.name))
    before = indexes(url)
    assert all(name.startswith("ix_") for name in before)
    with connect(db, url):
        db.execute_sql("DELETE FROM schema_migration")
    migrate(connector(url))
    assert indexes(url) == before
    assert changes(url) == []


@TUTORIAL
def test_the_sqlalchemy_app_works_on_a_database_of_ours(
    app: FastAPI, sqlalchemy_client: TestClient, url: str
) -> None:
    with TestClient(app) as client:
        body = {"email": "deadpool@example.com", "password": "x"}
        user = client.post("/users/", json=body).json()
        item = client.post("/users/1/items/", json={"title": "ours"}).json()
    with TestClient(create_sqlalchemy_app(url)) as client:
        assert client.get("/users/").json() == [{**user, "items": [item]}]
        assert (
            client.post("/users/1/items/", json={"title": "theirs"}).json()["id"] == 2
        )


def test_a_new_database_has_the_indexes_of_the_contract(pool: Pool, url: str) -> None:
    assert sorted(indexes(url).values()) == [
        (["description"], False),
        (["email"], True),
        (["owner_id"], False),
        (["title"], False),
    ]


def test_relations(pool: Pool) -> None:
    with pool.connection():
        user = User.create(email="a", hashed_password="")
        assert user.is_active is True
        item = Item.create(title="a", owner=user)
        assert list(user.items) == [item]
        assert Item.get_by_id(item.id).owner == user
        assert item.owner_id == user.id
        assert db.table_exists("users")


TEXTS = [
    "a",
    "A",
    "á",
    "a ",
    " a",
    "e\u0301",
    "é",
    "ß",
    "ss",
    "😀",
    "😁",
    "i",
    "İ",
]


def test_text_compares_exactly_on_every_engine(pool: Pool) -> None:
    with pool.connection():
        for text in TEXTS:
            User.create(email=text, hashed_password="")
        for text in TEXTS:
            user = crud.get_user_by_email(text)
            assert user is not None
            assert user.email == text
            with pytest.raises(peewee.IntegrityError):
                User.create(email=text, hashed_password="")
        assert crud.get_user_by_email("a  ") is None


def test_a_text_that_is_too_long_is_an_error_or_kept_whole(pool: Pool) -> None:
    """Never cut it off. The API refuses it."""
    with pool.connection():
        try:
            User.create(email="a" * 300, hashed_password="")
        except peewee.DataError:
            return
        assert crud.get_user_by_email("a" * 300)
