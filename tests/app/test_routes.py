"""HTTP contract that a client of the SQLAlchemy tutorial relies on."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from comparison.pwasyncio_app.main import create_app as create_pwasyncio_app
from comparison.sqlalchemy_app.main import create_app as create_sqlalchemy_app
from comparison.sqlalchemy_async_app.main import create_app as create_async_app
from comparison.sqlalchemy_design_app.main import create_app as create_design_app
from comparison.sqlalchemy_tuned_app.main import create_app as create_tuned_app
from comparison.sqlmodel_app.main import create_app as create_sqlmodel_app
from comparison.tortoise_app.main import create_app as create_tortoise_app
from peewee_app.fastapi_peewee import connector

from ..engines import on
from ..factories import ITEM, USER, create_app

APPS: dict[str, Callable[[str], FastAPI]] = {
    "peewee": create_app,
    "sqlalchemy": create_sqlalchemy_app,
}
# Slow only because there are many.
PEERS: dict[str, Callable[[str], FastAPI]] = {
    "sqlalchemy-tuned": create_tuned_app,
    "sqlalchemy-design": create_design_app,
    "sqlalchemy-async": create_async_app,
    "sqlmodel": create_sqlmodel_app,
    "tortoise": create_tortoise_app,
    "pwasyncio": create_pwasyncio_app,
}


@pytest.fixture(
    params=[*APPS, *(pytest.param(name, marks=pytest.mark.slow) for name in PEERS)]
)
def app(request: pytest.FixtureRequest, url: str) -> FastAPI:
    """App of ours, and those that it is compared with.

    `@pytest.mark.beyond_seed(reason)` marks a test that ours passes, and the apps in
    `also_in`. The others are expected to fail, those in `by_chance` not always.
    """
    name: str = request.param
    mark = request.node.get_closest_marker("beyond_seed")
    if mark:
        (reason,) = mark.args
        if name not in ("peewee", *mark.kwargs.get("also_in", ())):
            strict = name not in mark.kwargs.get("by_chance", ())
            request.applymarker(
                pytest.mark.xfail(reason=reason, raises=AssertionError, strict=strict)
            )
    return (APPS | PEERS)[name](url)


def create(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_create_user(client: TestClient) -> None:
    created = create(client, "/users/", USER)
    assert created == {
        "email": "deadpool@example.com",
        "id": 1,
        "is_active": True,
        "items": [],
    }
    assert client.get("/users/1").json() == created


def test_email_is_kept_as_it_was_sent(client: TestClient) -> None:
    user = create(client, "/users/", {**USER, "email": "Wade+X@EXAMPLE.com"})
    assert user["email"] == "Wade+X@EXAMPLE.com"


def test_email_of_another_case_is_another_email(client: TestClient) -> None:
    create(client, "/users/", USER)
    create(client, "/users/", {**USER, "email": "DeadPool@example.com"})
    assert len(client.get("/users/").json()) == 2


def test_email_already_registered(client: TestClient) -> None:
    create(client, "/users/", USER)
    response = client.post("/users/", json=USER)
    assert response.status_code == 400
    assert response.json() == {"detail": "Email already registered"}
    assert len(client.get("/users/").json()) == 1


LOCKS = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN; LOCK TABLE users IN SHARE MODE",
    "mariadb": "LOCK TABLES users READ",
}


@pytest.mark.beyond_seed(
    "the index decides, not a look before the write",
    also_in=["sqlalchemy-design"],
    # One thread runs their statements: the first write may come before other looks.
    by_chance=["tortoise", "pwasyncio"],
)
def test_racing_for_one_email_lets_one_through(
    client: TestClient, url: str, engine: str
) -> None:
    with closing(connector(url)()) as other, ThreadPoolExecutor(10) as threads:
        other.connect()
        # For a moment all can read, and nobody can write.
        other.execute_sql(LOCKS[engine])
        posts = [threads.submit(client.post, "/users/", json=USER) for _ in range(10)]
        time.sleep(1)
        other.close()
    codes = sorted(post.result().status_code for post in posts)
    assert codes == [200] + [400] * 9


def test_unknown_user(client: TestClient) -> None:
    for user_id in (-1, 0, 1, 2**31 - 1):
        response = client.get(f"/users/{user_id}")
        assert response.status_code == 404
        assert response.json() == {"detail": "User not found"}


def test_create_item_for_user(client: TestClient) -> None:
    create(client, "/users/", USER)
    item = create(client, "/users/1/items/", ITEM)
    assert item == {**ITEM, "id": 1, "owner_id": 1}
    assert client.get("/items/").json() == [item]
    assert client.get("/users/1").json()["items"] == [item]
    assert client.get("/users/").json()[0]["items"] == [item]


@pytest.mark.parametrize("body", [{"title": "a"}, {"title": "a", "description": None}])
def test_description_may_be_null(client: TestClient, body: dict[str, Any]) -> None:
    create(client, "/users/", USER)
    create(client, "/users/1/items/", body)
    (item,) = client.get("/items/").json()
    assert item == {"title": "a", "description": None, "id": 1, "owner_id": 1}


@pytest.mark.beyond_seed(
    "an item has an owner that exists", also_in=["sqlalchemy-design"]
)
def test_item_for_unknown_user_is_not_stored(client: TestClient) -> None:
    response = client.post("/users/1/items/", json=ITEM)
    assert response.status_code == 404
    assert response.json() == {"detail": "User not found"}
    assert client.get("/items/").json() == []


def test_pages_are_ordered_by_id(client: TestClient) -> None:
    for n in range(5):
        create(client, "/users/", {**USER, "email": f"{9 - n}@example.com"})
        create(client, f"/users/{n + 1}/items/", {"title": str(9 - n)})
    for path in ("/users/", "/items/"):
        rows = client.get(path).json()
        assert [row["id"] for row in rows] == [1, 2, 3, 4, 5]
        assert client.get(path, params={"skip": 1, "limit": 2}).json() == rows[1:3]
        assert client.get(path, params={"skip": 5}).json() == []
        assert client.get(path, params={"skip": 2**63 - 1}).json() == []
        assert client.get(path, params={"limit": 0}).json() == []
        assert client.get(path, params={"limit": 1000}).json() == rows


BAD_INPUT: list[tuple[str, str, Any, list[str]]] = [
    ("GET", "/items/?limit=nan", None, ["query", "limit"]),
    ("GET", "/users/x", None, ["path", "user_id"]),
    ("POST", "/users/", {"email": USER["email"]}, ["body", "password"]),
    ("POST", "/users/1/items/", {"title": None}, ["body", "title"]),
]
BAD_INPUT_BEYOND_SEED: dict[str, list[tuple[str, str, Any, list[str]]]] = {
    "skip, limit and ids have bounds": [
        ("GET", "/users/?skip=-1", None, ["query", "skip"]),
        ("GET", f"/users/?skip={10**30}", None, ["query", "skip"]),
        ("GET", "/users/?limit=-1", None, ["query", "limit"]),
        ("GET", "/users/?limit=1001", None, ["query", "limit"]),
        ("GET", "/items/?skip=-1", None, ["query", "skip"]),
        ("GET", "/items/?limit=1001", None, ["query", "limit"]),
        ("GET", f"/users/{2**31}", None, ["path", "user_id"]),
        ("GET", f"/users/{2**63}", None, ["path", "user_id"]),
        ("POST", f"/users/{2**31}/items/", ITEM, ["path", "user_id"]),
    ],
    "an email is an email": [
        ("POST", "/users/", {**USER, "email": "deadpool"}, ["body", "email"]),
        ("POST", "/users/", {**USER, "email": "a\0@example.com"}, ["body", "email"]),
        ("POST", "/users/", {**USER, "email": "\ud800@x.org"}, ["body", "email"]),
    ],
    "text is what every database can store": [
        ("POST", "/users/", {**USER, "password": "a\0"}, ["body", "password"]),
        ("POST", "/users/", {**USER, "password": "\ud800"}, ["body", "password"]),
        ("POST", "/users/1/items/", {"title": "a\0"}, ["body", "title"]),
        ("POST", "/users/1/items/", {"title": "\ud800"}, ["body", "title"]),
        ("POST", "/users/1/items/", {"title": "a" * 256}, ["body", "title"]),
        (
            "POST",
            "/users/1/items/",
            {**ITEM, "description": "a" * 256},
            ["body", "description"],
        ),
        (
            "POST",
            "/users/1/items/",
            {**ITEM, "description": "\0"},
            ["body", "description"],
        ),
    ],
    "a 422 about a NaN can be sent": [
        ("POST", "/users/1/items/", {"title": float("nan")}, ["body", "title"]),
    ],
}


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    BAD_INPUT
    + [
        pytest.param(*case, marks=pytest.mark.beyond_seed(reason))
        for reason, cases in BAD_INPUT_BEYOND_SEED.items()
        for case in cases
    ],
)
@on("sqlite", slow=["postgresql", "mariadb"])
def test_bad_input_is_422_and_names_the_field(
    client: TestClient, method: str, path: str, body: Any, field: list[str]
) -> None:
    create(client, "/users/", {**USER, "email": "first@example.com"})
    # json.dumps writes NaN and lone surrogates, like a careless client.
    content = None if body is None else json.dumps(body)
    response = client.request(
        method, path, content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    assert error["loc"] == field
    assert error["msg"]


def test_255_characters_of_any_plane_fit(client: TestClient) -> None:
    create(client, "/users/", USER)
    title = "😀" * 255
    assert create(client, "/users/1/items/", {"title": title})["title"] == title
    assert client.get("/items/").json()[0]["title"] == title


@pytest.mark.parametrize("content", ["[" * 100_000, "{", "\xff", "1", ""])
def test_body_that_is_not_a_user(client: TestClient, content: str) -> None:
    response = client.post(
        "/users/",
        content=content.encode("latin-1"),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code in (400, 422)
    assert response.json()["detail"]


@pytest.mark.beyond_seed("a body has a limit", also_in=["sqlalchemy-design"])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit(client: TestClient, chunked: bool) -> None:
    content = json.dumps({**USER, "password": "a" * 1024 * 1024}).encode()
    response = client.post(
        "/users/",
        content=iter([content]) if chunked else content,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 413
    assert "1048576 bytes" in response.json()["detail"]
    assert client.get("/users/").json() == []


@pytest.mark.beyond_seed("a 422 does not echo the body")
def test_password_and_hash_are_in_no_response(client: TestClient) -> None:
    answers = [
        client.post("/users/", json=USER),
        client.post("/users/", json=USER),
        client.post("/users/", json={"password": USER["password"]}),
        client.post("/users/", json={**USER, "email": "deadpool"}),
        client.post("/users/", json={**USER, "password": [USER["password"]]}),
        client.get("/users/1"),
        client.get("/users/"),
    ]
    for answer in answers:
        assert USER["password"] not in answer.text
        assert "argon2" not in answer.text


def test_openapi_has_all_of_the_tutorials(client: TestClient) -> None:
    """Ignore additions: test_document.py has them."""
    document = client.get("/openapi.json").json()
    operations = {
        (method, path): (
            operation["operationId"],
            operation["responses"]
            .get("200", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema"),
            sorted(
                p["name"]
                for p in operation.get("parameters", [])
                if p["name"] != "after"
            ),
            operation.get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
            .get("$ref"),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    ref = "#/components/schemas/"

    def titled_list(name: str, title: str) -> dict[str, Any]:
        return {"type": "array", "items": {"$ref": ref + name}, "title": title}

    tutorials = {
        ("post", "/users/"): (
            "create_user_users__post",
            {"$ref": ref + "User"},
            [],
            ref + "UserCreate",
        ),
        ("get", "/users/"): (
            "read_users_users__get",
            titled_list("User", "Response Read Users Users  Get"),
            ["limit", "skip"],
            None,
        ),
        ("get", "/users/{user_id}"): (
            "read_user_users__user_id__get",
            {"$ref": ref + "User"},
            ["user_id"],
            None,
        ),
        ("post", "/users/{user_id}/items/"): (
            "create_item_for_user_users__user_id__items__post",
            {"$ref": ref + "Item"},
            ["user_id"],
            ref + "ItemCreate",
        ),
        ("get", "/items/"): (
            "read_items_items__get",
            titled_list("Item", "Response Read Items Items  Get"),
            ["limit", "skip"],
            None,
        ),
    }
    assert {key: operations[key] for key in tutorials} == tutorials
    schemas = document["components"]["schemas"]
    fields = {
        "Item": {"title", "description", "id", "owner_id"},
        "ItemCreate": {"title", "description"},
        "User": {"email", "id", "is_active", "items"},
        "UserCreate": {"email", "password"},
        "HTTPValidationError": {"detail"},
        "ValidationError": {"loc", "msg", "type", "input", "ctx"},
    }
    assert {name: set(schemas[name]["properties"]) for name in fields} == fields


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_docs(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "/openapi.json" in response.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_head_of_the_docs(client: TestClient, path: str) -> None:
    response = client.head(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == client.get(path).headers["Content-Type"]
