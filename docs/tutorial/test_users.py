"""Tests of the app, on a database of their own: `pytest` runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import Pool
from peewee_app.main import create_app
from peewee_app.models import User
from peewee_app.settings import Settings

USER = {"email": "wade@example.com", "password": "x"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of an app whose database is a new file."""
    settings = {"database_url": f"sqlite:///{tmp_path}/test.db"}
    with TestClient(create_app(Settings.model_validate(settings))) as client:
        yield client


def test_a_user_is_read_back(client: TestClient) -> None:
    """Through the API."""
    user = client.post("/users/", json=USER).json()
    assert client.get(f"/users/{user['id']}").json() == user


def test_the_password_is_not_stored(client: TestClient) -> None:
    """With a look into the database."""
    client.post("/users/", json=USER)
    pool: Pool = client.app_state["pool"]
    with pool.connection():
        assert User.get().hashed_password != USER["password"]
