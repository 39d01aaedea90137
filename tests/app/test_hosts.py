"""Allowed hosts, and the database of a mounted app."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from peewee_app.database import Db

from ..engines import on
from ..factories import create_app

pytestmark = on("sqlite")


@pytest.mark.parametrize(
    ("hosts", "host", "status"),
    [
        ("", "evil.example", 200),
        ("api.example, *.example.org", "api.example", 200),
        ("api.example, *.example.org", "a.example.org:8000", 200),
        ("api.example, *.example.org", "evil.example", 400),
    ],
)
def test_allowed_hosts(url: str, hosts: str, host: str, status: int) -> None:
    with TestClient(create_app(url, allowed_hosts=hosts)) as client:
        response = client.get("/users/", headers={"Host": host})
        assert response.status_code == status


def test_a_mounted_app_has_the_database(app: FastAPI) -> None:
    inner = FastAPI()

    @inner.get("/")
    def tables(db: Db) -> list[str]:
        names: list[str] = db.get_tables()
        return names

    app.mount("/inner", inner)
    with TestClient(app) as client:
        assert "users" in client.get("/inner/").json()
