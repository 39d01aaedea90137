"""Blog over HTTP: `pytest examples/blog`."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

# Both are read when the blog is imported.
os.environ.setdefault("DATABASE_URL", f"sqlite:///{tempfile.mkdtemp()}/blog.db")
os.environ["BLOG_TOKEN"] = "secret"

from examples.blog.database import db, pool
from examples.blog.main import app
from examples.blog.models import Author, Comment, Post, PostTag, Tag

HEADERS = {"Authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def started() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def client(started: TestClient) -> TestClient:
    with pool.connection(), db.atomic():
        Comment.update(parent=None).execute()
        for model in (Comment, PostTag, Post, Tag, Author):
            model.delete().execute()
    return started


def add(client: TestClient, path: str, **fields: Any) -> Any:
    response = client.post(path, json=fields, headers=HEADERS)
    assert response.status_code == 200, response.text
    return response.json()


def add_post(client: TestClient, title: str, *tags: str) -> Any:
    author = add(client, "/authors/", name=f"author of {title}")
    fields = {"title": title, "text": "…", "tags": tags, "author_id": author["id"]}
    return add(client, "/posts/", **fields)


def test_a_list_has_a_total(client: TestClient) -> None:
    for title in "abc":
        add_post(client, title, "all", title)
    page = client.get("/posts/", params={"limit": 2}).json()
    assert [post["title"] for post in page["items"]] == ["c", "b"]
    assert page["total"] == 3
    page = client.get("/posts/", params={"tag": "b"}).json()
    (post,) = page["items"]
    assert post["author"]["name"] == "author of b"
    assert sorted(tag["name"] for tag in post["tags"]) == ["all", "b"]
    assert client.get("/posts/?tag=%00").status_code == 422


def test_comments_come_in_threads(client: TestClient) -> None:
    path = f"/posts/{add_post(client, 'a')['id']}/"
    first = add(client, f"{path}comments/", name="x", text="first")
    reply = add(client, f"{path}comments/", name="y", text="…", parent_id=first["id"])
    second = add(client, f"{path}comments/", name="z", text="second")
    post = client.get(path.rstrip("/")).json()
    assert post["comment_count"] == 3
    thread = first | {"replies": [reply | {"replies": []}]}
    assert post["threads"] == [thread, second | {"replies": []}]
    latest = client.get(f"{path}comments/", params={"limit": 2})
    assert latest.json() == [second, reply]
    assert client.get(latest.links["next"]["url"]).json() == [first]


def test_who_has_no_token_writes_nothing(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer secrets"}):
        response = client.post("/authors/", json={"name": "a"}, headers=headers)
        assert response.status_code == 401


def test_what_there_is_not_or_is_already(client: TestClient) -> None:
    post = add_post(client, "a")
    twice = client.post("/authors/", json={"name": "author of a"}, headers=HEADERS)
    assert twice.status_code == 400
    assert client.get(f"/posts/{post['id'] + 1}").status_code == 404
    for path in ("/posts/1000000/comments/", "/posts/"):
        fields = {"title": "a", "author_id": 1000000, "name": "a", "text": "a"}
        assert client.post(path, json=fields, headers=HEADERS).status_code == 404
    other = add_post(client, "b")
    comment = add(client, f"/posts/{post['id']}/comments/", name="a", text="a")
    fields = {"name": "a", "text": "a", "parent_id": comment["id"]}
    elsewhere = client.post(f"/posts/{other['id']}/comments/", json=fields)
    assert elsewhere.status_code == 400
    assert client.get(f"/posts/{2**40}").status_code == 422
