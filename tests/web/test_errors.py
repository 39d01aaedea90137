"""Error responses, for every kind of failure."""

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from peewee import PeeweeException

from peewee_app.database import Db
from peewee_app.models import User

from ..databases import locked
from ..engines import on
from ..factories import USER, create_app


@pytest.fixture
def app(url: str, engine: str) -> FastAPI:
    """App of one connection, which waits briefly for a lock."""
    option = "timeout" if engine == "sqlite" else "statement_timeout"
    return create_app(f"{url}?{option}=0.1", database_pool_size=1)


def assert_unavailable(response: Any) -> None:
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Try again" in response.json()["detail"]


@on("sqlite")
def test_locked(client: TestClient, database_file: Path) -> None:
    with locked(database_file):
        assert_unavailable(client.post("/users/", json=USER))
        assert client.get("/users/").status_code == 200
    assert client.post("/users/", json=USER).status_code == 200


@on("sqlite")
def test_full(client: TestClient, app: FastAPI) -> None:
    assert client.post("/users/", json=USER).status_code == 200

    @app.post("/limit/{pages}")
    def limit(pages: int, db: Db) -> None:
        # Without Peewee, which would reset it after the request.
        db.connection().execute(f"PRAGMA max_page_count = {pages}")

    client.post("/limit/1")  # SQLite's limit becomes the present size.
    item = {"title": "a" * 255, "description": "b" * 255}
    for _ in range(100):
        response = client.post("/users/1/items/", json=item)
        if response.status_code != 200:
            break
    assert_unavailable(response)
    assert client.get("/users/1").status_code == 200
    client.post(f"/limit/{2**30}")
    assert client.post("/users/1/items/", json=item).status_code == 200


@on("sqlite")
def test_gone(client: TestClient, database_file: Path, tmp_path: Path) -> None:
    assert client.post("/users/", json=USER).status_code == 200
    database_file.rename(tmp_path / "away.db")
    assert_unavailable(client.get("/users/"))
    assert_unavailable(client.post("/users/", json=USER))
    (tmp_path / "away.db").rename(database_file)
    assert len(client.get("/users/").json()) == 1


@on("sqlite")
def test_the_reason_is_in_the_log(
    client: TestClient, database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with locked(database_file):
        client.post("/users/", json=USER)
    (record,) = (r for r in caplog.records if r.levelno == logging.WARNING)
    assert "database is locked" in record.getMessage()


@pytest.fixture
def routes_that_fail(app: FastAPI) -> None:
    @app.get("/unexpected")
    def unexpected() -> None:
        raise RuntimeError("a secret")

    @app.get("/no-such-table")
    def no_such_table(db: Db) -> None:
        db.execute_sql("SELECT a_secret FROM missing")

    @app.get("/not-null")
    def not_null(db: Db) -> None:
        User.create(email="a")


def test_no_value_of_a_row_is_in_the_log(
    app: FastAPI,
) -> None:
    @app.get("/twice")
    def twice(db: Db) -> None:
        User.create(email="deadpool@example.com", hashed_password="$argon2id$")

    @app.get("/not-null")
    def not_null(db: Db) -> None:
        User.insert(email="deadpool@example.com", hashed_password=None).execute()

    logged = []
    for path in ("/twice", "/twice", "/not-null"):
        with TestClient(app) as direct:
            try:
                direct.get(path)
            except PeeweeException as exc:  # Logged by the server.
                logged += traceback.format_exception(exc)
    text = "".join(logged)
    assert "UniqueViolation" in text
    assert "IntegrityError" in text
    assert "email" in text  # The constraint's name has it.
    text = text.replace('email="deadpool@example.com"', "").replace(
        'hashed_password="$argon2id$"', ""
    )  # The source of the test.
    assert "deadpool" not in text
    assert "argon2" not in text


@pytest.mark.usefixtures("routes_that_fail")
@pytest.mark.parametrize("path", ["/unexpected", "/no-such-table", "/not-null"])
def test_an_unexpected_error_is_a_500_with_a_json_body(
    client: TestClient, path: str
) -> None:
    response = client.get(path)
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal Server Error"}
    assert client.get("/users/").status_code == 200


def test_422_keeps_the_input_of_a_query(client: TestClient) -> None:
    (error,) = client.get("/users/?skip=x").json()["detail"]
    assert error["input"] == "x"


def test_422_leaves_out_the_input_of_a_body(client: TestClient) -> None:
    body = {**USER, "email": "deadpool"}
    (error,) = client.post("/users/", json=body).json()["detail"]
    assert error.keys() == {"type", "loc", "msg"}


@on("sqlite")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("OPTIONS", "/users/", "GET, POST"),
        ("PUT", "/users/1", "GET, PATCH, DELETE"),
        ("POST", "/items/1", "GET, PATCH, DELETE"),
        ("DELETE", "/users/1/items/", "GET, POST"),
        ("TRACE", "/docs", "GET, HEAD"),
        ("PUT", "/static-offline-docs/favicon.png", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    client: TestClient, method: str, path: str, allow: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.json() == {"detail": "Method Not Allowed"}
    assert response.headers["Allow"] == allow
