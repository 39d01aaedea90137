"""The tables: the SQLAlchemy tutorial's app and ours on one database file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from peewee_app.database import Pool, db
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from .sqlalchemy_tutorial import create_sqlalchemy_app


@pytest.fixture
def sqlalchemy_client(url: str) -> Iterator[TestClient]:
    with TestClient(create_sqlalchemy_app(url)) as client:
        yield client


def indexes(file: Path) -> dict[str, str]:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
        )
        return dict(rows.fetchall())


def test_a_database_of_the_sqlalchemy_app_is_opened_and_extended(
    sqlalchemy_client: TestClient, app: FastAPI, database_file: Path
) -> None:
    first = {"email": "not an email", "password": "x"}
    user = sqlalchemy_client.post("/users/", json=first).json()
    long = {"title": "a" * 300, "description": "b" * 300}
    item = sqlalchemy_client.post("/users/1/items/", json=long).json()
    orphan = sqlalchemy_client.post("/users/99/items/", json=long).json()
    before = indexes(database_file)

    with TestClient(app) as client:
        assert client.get("/users/").json() == [{**user, "items": [item]}]
        assert client.get("/items/").json() == [item, orphan]
        second = {"email": "deadpool@example.com", "password": "x"}
        assert client.post("/users/", json=second).status_code == 200
        assert client.post("/users/", json=second).status_code == 400
        for user_id in (1, 2):
            path = f"/users/{user_id}/items/"
            assert client.post(path, json={"title": "ours"}).status_code == 200
        ours = client.get("/users/").json()
        assert [len(user["items"]) for user in ours] == [2, 1]

    assert sqlalchemy_client.get("/users/").json() == ours
    assert (
        sqlalchemy_client.post("/users/", json=first | {"email": "3"}).json()["id"] == 3
    )
    added = indexes(database_file).keys() - before.keys()
    assert added == {"ix_items_owner_id"}


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


def test_a_new_database_has_the_indexes_of_the_contract(
    pool: Pool, database_file: Path
) -> None:
    assert indexes(database_file) == {
        "ix_users_email": 'CREATE UNIQUE INDEX "ix_users_email" ON "users" ("email")',
        "ix_items_title": 'CREATE INDEX "ix_items_title" ON "items" ("title")',
        "ix_items_description": (
            'CREATE INDEX "ix_items_description" ON "items" ("description")'
        ),
        "ix_items_owner_id": 'CREATE INDEX "ix_items_owner_id" ON "items" ("owner_id")',
    }


def test_create_tables_leaves_what_is_there(pool: Pool) -> None:
    with pool.connection():
        User.create(email="a", hashed_password="")
    migrate(pool)
    with pool.connection():
        assert User.select().count() == 1


def test_relations(pool: Pool) -> None:
    with pool.connection():
        user = User.create(email="a", hashed_password="")
        assert user.is_active is True
        item = Item.create(title="a", owner=user)
        assert list(user.items) == [item]
        assert Item.get_by_id(item.id).owner == user
        assert item.owner_id == user.id
        assert db.table_exists("users")
