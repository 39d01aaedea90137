"""Apps that use the part of the package that is for any app."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from harness.server import serve
from peewee_app import crud
from peewee_app.database import db, get_db
from peewee_app.fastapi_peewee import (
    ContextDatabase,
    NoConnectionError,
    Pool,
    connect,
    connector,
)
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from ..engines import on
from ..factories import USER, create_app

ROOT = Path(__file__).parents[2]


def test_the_smallest_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uvicorn = ("uvicorn", "examples.own_app:app")
    with (
        serve("", f"--app-dir={ROOT}", module=uvicorn) as server,
        server.client() as client,
    ):
        assert client.get("/notes/").json() == []
        assert client.post("/notes/", params={"text": "a"}).json() == "a"
        assert client.get("/notes/").json() == ["a"]
        assert "Application shutdown complete." in server.stop()


def test_the_smallest_app_is_imported_on_an_event_loop(tmp_path: Path) -> None:
    """Import it like `--reload`."""
    code = """import asyncio, importlib
async def main():
    importlib.import_module("examples.own_app")
asyncio.run(main())"""
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)


@on("sqlite", slow=["postgresql", "mariadb"])
def test_the_blog(url: str) -> None:
    """Run its tests on each engine."""
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "examples/blog"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout


@on("sqlite")
def test_a_script(url: str) -> None:
    migrate(connector(url))
    with connect(db, url):
        User.create(email="a", hashed_password="")
    with connect(db, url):
        user = crud.get_user_by_email("a")
    assert user is not None
    with pytest.raises(NoConnectionError, match=r"takes `db: Db`"):
        crud.get_user(1)


# Tests of an app that uses another database.


@pytest.fixture
def app(url: str) -> FastAPI:
    return create_app(url)


@pytest.fixture
def other(tmp_path: Path) -> Pool:
    connect_other = connector(f"sqlite:///{tmp_path}/other.db")
    migrate(connect_other)
    return Pool(db, connect_other, size=1, timeout=5)


@on("sqlite")
def test_an_async_override(app: FastAPI, other: Pool) -> None:
    async def override_get_db() -> AsyncIterator[ContextDatabase]:
        async with other.request():
            yield db

    app.dependency_overrides[get_db] = override_get_db
    with TestClient(app) as client:
        assert client.post("/users/", json=USER).status_code == 200
        assert client.get("/users/").json()[0]["email"] == USER["email"]
    with other.connection():
        assert User.select().count() == 1
    other.close()


@on("sqlite")
def test_a_sync_override_says_what_to_write(app: FastAPI, other: Pool) -> None:
    def override_get_db() -> Iterator[ContextDatabase]:
        with other.connection():
            yield db

    app.dependency_overrides[get_db] = override_get_db
    with (
        TestClient(app) as client,
        pytest.raises(NoConnectionError, match="has to be `async def`"),
    ):
        client.get("/users/")
    other.close()


@on("sqlite")
def test_bind_ctx(app: FastAPI, tmp_path: Path) -> None:
    bound = connector(f"sqlite:///{tmp_path}/bound.db")()
    bound.connect()
    with bound.bind_ctx([User, Item]), TestClient(app) as client:
        bound.create_tables([User, Item])
        assert client.post("/users/", json=USER).status_code == 200
        assert client.post("/users/1/items/", json={"title": "a"}).status_code == 200
        assert [user["id"] for user in client.get("/users/").json()] == [1]
        assert bound.execute_sql("SELECT count(*) FROM items").fetchone() == (1,)
        assert client.delete("/users/1").status_code == 204
    with TestClient(app) as client:
        assert client.get("/users/").json() == []
    bound.close()
