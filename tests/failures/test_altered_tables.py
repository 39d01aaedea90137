"""A migration alters a table while the app is serving."""

from contextlib import closing

import pytest
from fastapi.testclient import TestClient
from peewee import NotSupportedError

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.models import User

from ..engines import on
from ..factories import USER

# psycopg prepares a statement after so many runs.
OFTEN = 8


@pytest.fixture
def client(client: TestClient) -> TestClient:
    assert client.post("/users/", json=USER).status_code == 200
    assert client.post("/users/1/items/", json={"title": "Foo"}).status_code == 200
    return client


def alter(url: str, engine: str, column: str) -> None:
    table, column = column.split(".")
    statement = {
        "sqlite": f"ALTER TABLE {table} ADD COLUMN new_{column} TEXT",
        "postgresql": f"ALTER TABLE {table} ALTER COLUMN {column} TYPE text",
        "mariadb": f"ALTER TABLE {table} MODIFY {column} VARCHAR(999) NOT NULL",
    }[engine]
    with closing(connector(url)()) as connection:
        connection.connect()
        connection.execute_sql(statement)


def test_requests_are_answered_after_a_table_was_altered(
    client: TestClient, url: str, engine: str
) -> None:
    requests = [
        ("GET", "/users/1", None),
        ("GET", "/users/", None),
        ("GET", "/items/", None),
        ("GET", "/items/1", None),
        ("PATCH", "/users/1", {"is_active": True}),
        ("PATCH", "/items/1", {"title": "Bar"}),
    ]
    for column in ("users.email", "items.title"):
        for method, path, body in requests:
            for _ in range(OFTEN):
                assert client.request(method, path, json=body).status_code == 200
        alter(url, engine, column)
        for method, path, body in requests:
            response = client.request(method, path, json=body)
            assert response.status_code == 200, (column, method, path)


@on("postgresql")
def test_a_change_is_made_after_a_table_was_altered(
    client: TestClient, url: str, engine: str
) -> None:
    """Run the transaction again when its old plan fails."""
    for _ in range(OFTEN):
        assert client.patch("/users/1", json={"is_active": False}).status_code == 200
    alter(url, engine, "users.email")
    assert client.patch("/users/1", json={"is_active": True}).status_code == 200
    assert client.get("/users/1").json()["is_active"] is True


@on("postgresql")
@pytest.mark.usefixtures("client")
def test_a_block_that_fails_of_an_old_plan_is_the_only_one(
    url: str, engine: str
) -> None:
    """Fail: a `with` cannot retry."""
    with connect(db, connector(url)):
        for _ in range(OFTEN):
            with db.atomic():
                User.get_by_id(1)
        alter(url, engine, "users.email")
        with pytest.raises(NotSupportedError), db.atomic():
            User.get_by_id(1)
        with db.atomic():
            assert User.get_by_id(1).email == USER["email"]
