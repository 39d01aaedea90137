"""Tutorial's app with a login: who gets in, and who does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from docs.tutorial.locked_app import Token, app, digest, now
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect
from peewee_app.models import User
from peewee_app.routes import routers

USER = {"email": "wade@example.com", "password": "x"}
FORM = {"username": "wade@example.com", "password": "x"}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.chdir(tmp_path)
    with TestClient(app) as client:
        assert client.post("/users/", json=USER).status_code == 200
        yield client


def let_in(client: TestClient) -> None:
    token = client.post("/token", data=FORM).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


@pytest.mark.parametrize("authorization", [{}, {"Authorization": "Bearer wrong"}])
def test_without_a_token_nothing_opens(
    client: TestClient, authorization: dict[str, str]
) -> None:
    operations = [
        (method, route.path.format(user_id=1, item_id=1))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert len(operations) > 10
    for method, path in {*operations, ("GET", "/users/me")} - {("POST", "/users/")}:
        response = client.request(method, path, json={}, headers=authorization)
        assert response.status_code == 401, (method, path)
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_opens_everything(client: TestClient) -> None:
    let_in(client)
    assert client.get("/users/me").json()["email"] == USER["email"]
    assert client.post("/users/1/items/", json={"title": "Foo"}).status_code == 200
    assert client.get("/items/").json()[0]["title"] == "Foo"


@pytest.mark.parametrize("wrong", [{"password": "y"}, {"username": "al@example.com"}])
def test_a_wrong_password_and_a_wrong_email_look_alike(
    client: TestClient, wrong: dict[str, str]
) -> None:
    response = client.post("/token", data=FORM | wrong)
    assert response.status_code == 400
    assert response.json() == {"detail": "Incorrect username or password"}


def test_who_is_not_active_is_out_at_once(client: TestClient) -> None:
    let_in(client)
    assert client.patch("/users/1", json={"is_active": False}).status_code == 200
    assert client.get("/users/me").status_code == 401
    assert client.post("/token", data=FORM).status_code == 400


def test_a_token_expires(client: TestClient) -> None:
    let_in(client)
    token = client.headers["Authorization"].removeprefix("Bearer ")
    with connect(db, "sqlite:///./sql_app.db"):
        assert Token.get().digest == digest(token) != token
        Token.update(expires=now()).execute()
    assert client.get("/users/me").status_code == 401
    with connect(db, "sqlite:///./sql_app.db"):
        User.delete().execute()
        assert Token.select().count() == 0
