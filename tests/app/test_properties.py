"""Properties that hold for any request.

The examples are the same each time, unless `SCHEMATHESIS_SEED=random`.
"""

import json
import os
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ..engines import on
from ..factories import USER

# A database is made for each test, not for each example; and machines are slow.
several = settings(
    max_examples=100,
    database=None,
    derandomize=os.environ.get("SCHEMATHESIS_SEED") != "random",
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=255)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
# Bodies that are nearly right get further than others.
fields = st.sampled_from(["email", "password", "is_active", "title", "description"])
bodies = JSON | st.dictionaries(fields, JSON | texts)


@pytest.fixture
def client(client: TestClient) -> TestClient:
    assert client.post("/users/", json=USER).status_code == 200
    assert client.post("/users/1/items/", json={"title": "a"}).status_code == 200
    return client


@several
@given(title=texts, description=st.none() | texts)
@example(title="", description="")
@example(title=" a ", description="\t\r\n")
@example(title="\U0001f32e" * 255, description="\U0010ffff\ufffe\uffff")
@example(title="e\u0301", description="\u00e9")
@example(title="\\'\";--%s%%:x?$1", description="\x1a\x08\x7f")
@example(title="\u200f\u202e", description="\ufeff")
def test_a_text_comes_back_the_same(
    client: TestClient, title: str, description: str | None
) -> None:
    sent = {"title": title, "description": description}
    response = client.post("/users/1/items/", json=sent)
    assert response.status_code == 200, response.text
    created = response.json()
    assert created == sent | {"id": created["id"], "owner_id": 1}
    path = f"/items/{created['id']}"
    assert client.get(path).json() == created
    assert client.get(f"/items/?after={created['id'] - 1}").json() == [created]
    assert client.patch(path, json=sent).json() == created
    assert client.delete(path).status_code == 204


@several
@given(title=st.text())
def test_a_text_is_stored_or_refused(client: TestClient, title: str) -> None:
    content = json.dumps({"title": title})
    headers = {"Content-Type": "application/json"}
    response = client.patch("/items/1", content=content, headers=headers)
    if response.status_code == 200:
        assert client.get("/items/1").json()["title"] == title
    else:
        assert response.status_code == 422
        assert "\0" in title or len(title) > 255 or not title.isascii()


@several
@given(email=st.emails())
@example(email="dead.pool+1@EXAMPLE.com")
@example(email="\u0434\u0435\u0434@example.com")
@example(email="deadpool@b\u00fccher.example")
def test_an_email_comes_back_the_same(client: TestClient, email: str) -> None:
    response = client.patch("/users/1", json={"email": email})
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        assert response.json()["email"] == email
        assert client.get("/users/1").json()["email"] == email


@several
@given(body=bodies)
@example(body={"email": "a@example.com", "password": "\ud800"})
@example(body={"title": float("nan")})
@example(body={"title": 10**400, "is_active": 1e400})
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/"),
        ("POST", "/users/1/items/"),
        ("PATCH", "/users/1"),
        ("PATCH", "/items/1"),
    ],
)
def test_any_json_is_accepted_or_refused(
    client: TestClient, method: str, path: str, body: Any
) -> None:
    response = client.request(
        method,
        path,
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code in (200, 400, 404, 422), response.text
    assert response.status_code == 200 or response.json()["detail"]
    assert "Traceback" not in response.text
    assert "argon2" not in response.text


@several
@given(content=st.binary(), content_type=st.sampled_from(["application/json", "x/y"]))
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/users/"), ("PATCH", "/items/1")]
)
@on("sqlite")
def test_any_bytes_are_accepted_or_refused(
    client: TestClient, method: str, path: str, content: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    response = client.request(method, path, content=content, headers=headers)
    assert response.status_code in (200, 400, 422), response.text
    assert response.status_code == 200 or response.json()["detail"]


@on("sqlite")
@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_json(client: TestClient, content: str) -> None:
    headers = {"Content-Type": "application/json"}
    for method, path in (("POST", "/users/"), ("PATCH", "/users/1")):
        response = client.request(method, path, content=content, headers=headers)
        assert response.status_code in (400, 422)
        assert response.json()["detail"]
