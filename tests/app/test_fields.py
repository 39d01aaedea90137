"""Fields: which values they take, and that a long text costs little."""

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ..engines import on
from ..factories import USER

# Each is two characters when decomposed.
COMBINING = "\u0344" * 160_000

pytestmark = on("sqlite")


def errors(response: Any) -> Any:
    assert response.status_code == 422, response.text
    return response.json()["detail"]


@pytest.mark.parametrize(
    "email",
    [
        "user@localhost",
        "x@corp.local",
        "x@foo.test",
        "a@b",
        "a..b@example.com",
        "dead.pool+1@EXAMPLE.com",
        "deadpool@xn--bcher-kva.example",
        "a" * 251 + "@b.c",
    ],
)
def test_an_email_that_a_browser_takes(client: TestClient, email: str) -> None:
    response = client.post("/users/", json={**USER, "email": email})
    assert response.status_code == 200, response.text
    assert response.json()["email"] == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "deadpool",
        "@example.com",
        "a@",
        "a@b@c",
        "a b@example.com",
        "a@-b.com",
        "a@b..c",
        "a@example.com\n",
        "дед@example.com",
        f"a@{'b' * 64}.com",
        "a" * 252 + "@b.c",
    ],
)
def test_an_email_that_a_browser_does_not_take(client: TestClient, email: str) -> None:
    (error,) = errors(client.post("/users/", json={**USER, "email": email}))
    assert error["loc"] == ["body", "email"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", f"{COMBINING}@x.org"), ("email", f"a@{COMBINING}.org")],
)
def test_a_long_text_costs_no_time(client: TestClient, field: str, value: str) -> None:
    start = time.process_time()
    (error,) = errors(client.post("/users/", json={**USER, field: value}))
    # Far longer than JSON takes, and far shorter than normalising.
    assert time.process_time() - start < 2
    assert error["msg"] == "String should have at most 255 characters"


@pytest.mark.parametrize("field", ["title", "description"])
def test_the_length_of_a_text_is_in_characters(client: TestClient, field: str) -> None:
    body = {"title": "a", field: "😀" * 256}
    (error,) = errors(client.post("/users/1/items/", json=body))
    assert error["msg"] == "String should have at most 255 characters"


@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_a_password_has_a_limit(client: TestClient, character: str) -> None:
    fits = character * 4096
    assert client.post("/users/", json={**USER, "password": fits}).status_code == 200
    for password in (fits + "a", fits * 10):
        (error,) = errors(client.patch("/users/1", json={"password": password}))
        assert "at most 4096" in error["msg"]


def test_a_new_user_may_have_an_empty_password_as_in_the_tutorial(
    client: TestClient,
) -> None:
    assert client.post("/users/", json={**USER, "password": ""}).status_code == 200
    (error,) = errors(client.patch("/users/1", json={"password": ""}))
    assert error["loc"] == ["body", "password"]
    assert error["msg"] == "String should have at least 1 character"


def test_the_document_says_how_long_a_password_may_be(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name in ("UserCreate", "UserUpdate"):
        password = schemas[name]["properties"]["password"]
        assert password["maxLength"] == 4096


@pytest.mark.parametrize("name", ["user", "item"])
def test_an_id_that_no_row_can_have(client: TestClient, name: str) -> None:
    for number in (-1, 0, 2**31 - 1, -(2**31)):
        answer = client.get(f"/{name}s/{number}")
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"{name.title()} not found"}
    for number in (2**31, -(2**31) - 1, 2**63, 10**30, -(10**30)):
        (error,) = errors(client.get(f"/{name}s/{number}"))
        assert error["loc"] == ["path", f"{name}_id"]


def test_the_document_says_that_ids_begin_with_1(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for name in ("user", "item"):
        (parameter,) = paths[f"/{name}s/{{{name}_id}}"]["get"]["parameters"]
        assert parameter["schema"]["minimum"] == 1
        assert parameter["schema"]["maximum"] == 2**31 - 1
