"""Limit on the related rows of one answer."""

import pytest
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import Pool, read, rows, size_limit
from peewee_app.models import Item, User
from peewee_app.schemas import User as UserOut

from ..factories import add_users

pytestmark = pytest.mark.usefixtures("small_limits")


@pytest.fixture(params=["fast", "plain"])
def small_limits(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limit of 4 rows unchecked, and of 1000 characters."""
    monkeypatch.setattr(size_limit, "FEW", 4)
    monkeypatch.setattr(size_limit, "MAX_SIZE", 1000)
    if request.param == "plain":

        def fits(*_args: object) -> bool:
            return False

        monkeypatch.setattr(rows, "fits", fits)


def test_more_than_a_few_rows_are_read_if_they_are_not_too_large(
    client: TestClient,
) -> None:
    with client.app_state["pool"].connection():
        add_users(2, items=5)
    for user in client.get("/users/").json():
        ids = [item["id"] for item in user["items"]]
        assert len(ids) == 5
        assert ids == sorted(ids)


@pytest.mark.parametrize("text", [0, 255])
def test_too_many_rows_or_too_long_ones_are_refused(
    client: TestClient, text: int
) -> None:
    number = 5 if text else 20
    with client.app_state["pool"].connection():
        add_users(2)
        user = User.get()
        row = {"title": "a" * text, "description": None, "owner": user}
        Item.insert_many([row] * number).execute()
        other = User.get(User.id != user.id)
    for path in (f"/users/{user.id}", "/users/"):
        response = client.get(path)
        assert response.status_code == 400
        assert "in pages" in response.json()["detail"]
    assert client.get(f"/users/{other.id}").status_code == 200
    page = client.get(f"/users/{user.id}/items/")
    assert len(page.json()) == number


def test_the_row_that_only_tells_of_a_next_page_is_not_read(
    client: TestClient,
) -> None:
    with client.app_state["pool"].connection():
        add_users(2, items=1)
        last = User.create(email="last@example.com", hashed_password="")
        Item.insert_many([{"title": "a", "owner": last}] * 20).execute()
    first = client.get("/users/", params={"limit": 2})
    assert [len(user["items"]) for user in first.json()] == [1, 1]
    following = client.get(first.links["next"]["url"])
    assert following.status_code == 400


def test_one_large_answer_is_made_at_a_time(client: TestClient) -> None:
    with client.app_state["pool"].connection():
        add_users(2, items=5)
    assert len(client.get("/users/").json()) == 2
    with size_limit.one_large_answer():
        with client.app_state["pool"].connection():
            assert len(read(list[UserOut], User.select())) == 2
        # This thread has the turn now, and the request has another thread.
        response = client.get("/users/")
        assert response.status_code == 503
        assert response.headers["Retry-After"]
    assert client.get("/users/").status_code == 200


def test_outside_a_request_it_is_an_error(pool: Pool) -> None:
    with pool.connection():
        add_users(1, items=20)
        with pytest.raises(size_limit.TooLargeError, match="20 related rows"):
            read(list[UserOut], User.select())
