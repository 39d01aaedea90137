"""Links from page to page."""

import re
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from fastapi.testclient import TestClient

from peewee_app import crud, models
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector

from ..engines import on
from ..factories import create_app


def links(response: Any) -> dict[str, str]:
    """Return the links by relation."""
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    return {relation: target for target, relation in found}


def ids(response: Any) -> list[int]:
    assert response.status_code == 200
    return [row["id"] for row in response.json()]


@pytest.fixture
def seven(client: TestClient, url: str) -> TestClient:
    """Client, after seven users with items; no ids 3, 5."""
    with connect(db, connector(url)), db.atomic():
        for n in range(1, 10):
            models.User.create(email=f"{n}@example.com", hashed_password="")
            models.Item.create(title=str(n), owner=n)
        for n in (3, 5):
            crud.delete_user(n)
    return client


@pytest.mark.parametrize("path", ["/users/", "/items/"])
def test_pages(seven: TestClient, path: str) -> None:
    first = seven.get(path, params={"limit": 3})
    assert ids(first) == [1, 2, 4]
    assert links(first).keys() == {"first", "next"}
    second = seven.get(links(first)["next"])
    assert ids(second) == [6, 7, 8]
    assert links(second).keys() == {"first", "prev", "next"}
    third = seven.get(links(second)["next"])
    assert ids(third) == [9]
    assert links(third).keys() == {"first", "prev"}
    # And back.
    assert ids(seven.get(links(third)["prev"])) == [6, 7, 8]
    assert ids(seven.get(links(second)["prev"])) == [1, 2, 4]
    assert ids(seven.get(links(third)["first"])) == [1, 2, 4]


@pytest.mark.parametrize("path", ["/users/", "/items/"])
def test_pages_from_a_skip(seven: TestClient, path: str) -> None:
    page = seven.get(path, params={"skip": 2, "limit": 2})
    assert ids(page) == [4, 6]
    assert ids(seven.get(links(page)["next"])) == [7, 8]
    assert ids(seven.get(links(page)["prev"])) == [1, 2]
    assert ids(seven.get(links(page)["first"])) == [1, 2]
    page = seven.get(path, params={"skip": 1, "limit": 2})
    assert ids(seven.get(links(page)["prev"])) == [1, 2]
    page = seven.get(path, params={"after": 2, "skip": 1, "limit": 2})
    assert ids(page) == [6, 7]
    assert ids(seven.get(links(page)["prev"])) == [4, 6]


def test_pages_of_the_items_of_one_user(seven: TestClient, url: str) -> None:
    with connect(db, connector(url)), db.atomic():
        for title in "abcd":
            models.Item.create(title=title, owner=2)
    path = "/users/2/items/"
    everything = ids(seven.get(path))
    assert everything == [2, 10, 11, 12, 13]
    first = seven.get(path, params={"limit": 2})
    assert ids(first) == [2, 10]
    assert {item["owner_id"] for item in first.json()} == {2}
    assert links(first).keys() == {"first", "next"}
    assert all(link.startswith(path) for link in links(first).values())
    second = seven.get(links(first)["next"])
    assert ids(second) == [11, 12]
    third = seven.get(links(second)["next"])
    assert ids(third) == [13]
    assert links(third).keys() == {"first", "prev"}
    assert ids(seven.get(links(third)["prev"])) == [11, 12]
    # Items of others are neither rows nor a page before.
    assert ids(seven.get(links(second)["prev"])) == [2, 10]
    assert ids(seven.get(path, params={"skip": 1, "limit": 2})) == [10, 11]


def test_pages_of_a_user_without_items_or_that_there_is_not(
    seven: TestClient, url: str
) -> None:
    with connect(db, connector(url)):
        models.Item.delete().where(models.Item.owner == 1).execute()
    assert ids(seven.get("/users/1/items/")) == []
    missing = seven.get("/users/3/items/", params={"limit": 2})
    assert missing.status_code == 404
    assert missing.json() == {"detail": "User not found"}
    assert "Link" not in missing.headers


@on("sqlite")
@pytest.mark.parametrize("path", ["/users/", "/items/"])
def test_the_last_page_has_no_next(seven: TestClient, path: str) -> None:
    for parameters in ({"limit": 7}, {"limit": 8}, {"after": 7}, {"skip": 100}):
        assert "next" not in links(seven.get(path, params=parameters))
    assert "next" in links(seven.get(path, params={"limit": 6}))


@on("sqlite")
@pytest.mark.parametrize("path", ["/users/", "/items/"])
def test_edges(seven: TestClient, path: str) -> None:
    assert ids(seven.get(path, params={"after": 0})) == [1, 2, 4, 6, 7, 8, 9]
    assert ids(seven.get(path, params={"after": 2**31 - 1})) == []
    assert ids(seven.get(path, params={"after": 5, "limit": 1})) == [6]
    nothing = seven.get(path, params={"limit": 0, "skip": 2, "after": 1})
    assert ids(nothing) == []
    assert links(nothing).keys() == {"first"}
    assert seven.get(path, params={"after": 2**31}).status_code == 422
    assert links(seven.get(path))["first"] == f"{path}?limit=100"


@on("sqlite")
def test_a_client_follows_the_links(seven: TestClient) -> None:
    """Read header and address by an HTTP client's own code."""
    response = seven.get("/items/?limit=2")
    seen = ids(response)
    while "next" in response.links:
        target = urljoin(str(response.url), response.links["next"]["url"])
        assert httpx2.URL(target).path == "/items/"
        response = seven.get(target)
        seen += ids(response)
    assert seen == [1, 2, 4, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("query", "more"), [("", 0), ("?skip=10&limit=5", 0), ("?after=10&limit=5", 1)]
)
def test_fixed_numbers_of_queries(url: str, query: str, more: int) -> None:
    """Count one for the rows, one for all users' items, one for `prev`."""
    with (
        TestClient(create_app(url, echo_sql=True)) as client,
        client.app_state["pool"].connection(),
    ):
        for n in range(20):
            models.User.create(email=f"{n}@example.com", hashed_password="")
            models.Item.create(title="a", owner=n + 1)
        for path, expected in (("/users/", 2 + more), ("/items/", 1 + more)):
            response = client.get(path + query)
            assert ids(response)
            quantity = response.headers["Server-Timing"].partition('desc="')[2]
            assert int(quantity.split()[0]) == expected
