"""Health: the process, and the database. Servers that hang are in test_failures.py."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import Pool, connector
from peewee_app.main import create_app
from peewee_app.settings import Settings

from .servers import on


def test_healthy(client: TestClient) -> None:
    for path in ("/health", "/health/ready"):
        response = client.get(path)
        assert response.status_code == 200
        assert response.json() == {"status": "ok"}


def test_it_is_not_in_the_openapi_document(client: TestClient) -> None:
    assert "health" not in client.get("/openapi.json").text


@on("sqlite")
def test_health_asks_nothing_of_the_database(app: FastAPI) -> None:
    """Without the start of the app, there is none."""
    assert TestClient(app).get("/health").status_code == 200


@on("sqlite")
def test_a_database_that_is_gone(
    client: TestClient, database_file: Path, tmp_path: Path
) -> None:
    database_file.rename(tmp_path / "away.db")
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "unreachable"}
    assert client.get("/health").status_code == 200
    (tmp_path / "away.db").rename(database_file)
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://scott:tiger@127.0.0.1:1/db",
        "mysql://scott:tiger@127.0.0.1:1/db",
    ],
)
def test_the_reason_tells_no_secret(url: str) -> None:
    client = TestClient(create_app(Settings.model_validate({"database_url": url})))
    # The app would not start.
    client.app_state["pool"] = Pool(connector(url), size=1, timeout=1)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "unreachable"}
