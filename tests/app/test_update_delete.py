"""Update and delete, which the tutorial leaves out, and single items."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from pwdlib import PasswordHash

from harness.server import serve
from peewee_app.fastapi_peewee import Pool
from peewee_app.models import User

from ..engines import on
from ..factories import ITEM, USER


@pytest.fixture
def client(client: TestClient) -> TestClient:
    """Client, after two users with two items and one."""
    for body in (USER, {**USER, "email": "wade@example.com"}):
        assert client.post("/users/", json=body).status_code == 200
    for user_id in (1, 1, 2):
        path = f"/users/{user_id}/items/"
        assert client.post(path, json=ITEM).status_code == 200
    return client


def test_an_absent_field_stays_as_it_is(client: TestClient) -> None:
    before = client.get("/users/1").json()
    for change in (
        {"is_active": False},
        {"email": "pool@example.com"},
        {},
        {"is_active": True, "email": "dead@example.com"},
    ):
        response = client.patch("/users/1", json=change)
        assert response.status_code == 200
        before |= change
        assert response.json() == before == client.get("/users/1").json()

    item = client.get("/items/1").json()
    assert item == {**ITEM, "id": 1, "owner_id": 1}
    changes: list[dict[str, Any]] = [{"description": "b"}, {"title": "c"}, {}]
    for change in [*changes, {"description": None}]:
        response = client.patch("/items/1", json=change)
        assert response.status_code == 200
        item |= change
        assert response.json() == item == client.get("/items/1").json()
    assert client.get("/items/2").json()["title"] == "Foo"


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/users/1", "email", None),
        ("/users/1", "password", None),
        ("/users/1", "is_active", None),
        ("/users/1", "is_active", "yes"),
        ("/users/1", "email", "deadpool"),
        ("/users/1", "password", "\0"),
        ("/users/1", "password", ""),
        ("/items/1", "title", None),
        ("/items/1", "title", "a" * 256),
        ("/items/1", "description", "\ud800"),
    ],
)
@on("sqlite")
def test_bad_change(client: TestClient, path: str, field: str, value: Any) -> None:
    before = client.get(path).json()
    response = client.patch(
        path,
        content=json.dumps({field: value}),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]
    assert client.get(path).json() == before


def test_a_taken_email(client: TestClient) -> None:
    response = client.patch("/users/1", json={"email": "wade@example.com"})
    assert response.status_code == 400
    assert response.json() == {"detail": "Email already registered"}
    assert client.get("/users/1").json()["email"] == "deadpool@example.com"
    own = {"email": "deadpool@example.com"}
    assert client.patch("/users/1", json=own).status_code == 200


def test_what_is_missing_is_404(client: TestClient) -> None:
    for name in ("user", "item"):
        for number in (-1, 0, 9, 2**31 - 1):
            path = f"/{name}s/{number}"
            answers = [
                client.get(path),
                client.patch(path, json={}),
                client.patch(path, json={"title": "a", "is_active": False}),
                client.delete(path),
            ]
            for answer in answers:
                assert answer.status_code == 404
                assert answer.json() == {"detail": f"{name.title()} not found"}


def test_delete_item(client: TestClient) -> None:
    response = client.delete("/items/1")
    assert response.status_code == 204
    assert response.content == b""
    assert client.get("/items/1").status_code == 404
    assert [item["id"] for item in client.get("/users/1").json()["items"]] == [2]


def test_delete_user_with_the_items(client: TestClient) -> None:
    response = client.delete("/users/1")
    assert response.status_code == 204
    assert response.content == b""
    assert client.get("/users/1").status_code == 404
    assert [user["id"] for user in client.get("/users/").json()] == [2]
    assert [item["owner_id"] for item in client.get("/items/").json()] == [2]
    assert client.post("/users/", json=USER).status_code == 200  # The email is free.


def test_a_new_password_is_hashed(client: TestClient) -> None:
    response = client.patch("/users/1", json={"password": "maximumeffort"})
    assert response.status_code == 200
    pool: Pool = client.app_state["pool"]
    with pool.connection():
        hashed = User.get_by_id(1).hashed_password
    assert PasswordHash.recommended().verify("maximumeffort", hashed)
    assert "maximumeffort" not in response.text
    assert "argon2" not in response.text


def test_an_id_is_never_given_again(client: TestClient) -> None:
    """Give a deleted row's id to no other row."""
    new = {**USER, "email": "new@example.com"}
    first = client.post("/users/", json=new).json()["id"]
    assert client.delete(f"/users/{first}").status_code == 204
    second = client.post("/users/", json=new).json()["id"]
    assert second > first
    late = client.post(f"/users/{first}/items/", json={"title": "Foo"})
    assert late.status_code == 404
    item = client.post(f"/users/{second}/items/", json={"title": "Foo"}).json()["id"]
    assert client.delete(f"/items/{item}").status_code == 204
    again = client.post(f"/users/{second}/items/", json={"title": "Foo"}).json()["id"]
    assert again > item


def together(count: int, call: Callable[[int], httpx2.Response]) -> Counter[int]:
    """Return the statuses of `count` calls at once."""
    with ThreadPoolExecutor(count) as threads:
        return Counter(answer.status_code for answer in threads.map(call, range(count)))


@on("sqlite", slow=["postgresql", "mariadb"])
def test_concurrent_changes_against_a_real_server(url: str) -> None:
    with (
        # A busy machine may hash slowly.
        serve(url, "--no-access-log", DATABASE_POOL_TIMEOUT="60") as server,
        server.client() as client,
    ):
        for n in range(2):
            assert client.post("/users/", json={**USER, "email": f"{n}@example.com"})
        client.post("/users/1/items/", json=ITEM)

        # Different fields: both stay.
        for n in range(5):
            changes = [{"title": f"title {n}"}, {"description": f"description {n}"}]
            together(2, lambda i, c=changes: client.patch("/items/1", json=c[i]))  # type: ignore[misc]
            item = client.get("/items/1").json()
            assert item["title"] == f"title {n}"
            assert item["description"] == f"description {n}"

        # One email: one gets it, the others get a 400.
        same = {"email": "same@example.com"}
        statuses = together(8, lambda n: client.patch(f"/users/{n % 2 + 1}", json=same))
        assert statuses == {200: 4, 400: 4}

        # New items while their user is deleted: no item is left.
        def add_or_delete(n: int) -> httpx2.Response:
            if n == 10:
                return client.delete("/users/1")
            return client.post("/users/1/items/", json=ITEM)

        statuses = together(20, add_or_delete)
        assert statuses.keys() <= {200, 204, 404}
        assert statuses[204] == 1
        assert client.get("/items/").json() == []

        # An email that comes and goes: only 200 and 400.
        def come_and_go(n: int) -> httpx2.Response:
            answer = client.post("/users/", json={**USER, "email": "busy@example.com"})
            if answer.status_code == 200:
                client.delete(f"/users/{answer.json()['id']}")
            return answer

        assert together(20, come_and_go).keys() <= {200, 400}
        assert "Traceback" not in server.stop()
