"""Queries: their results, and their number."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from peewee import OperationalError

from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import (
    ForeignKeyViolation,
    Pool,
    UniqueViolation,
    connect,
    read,
)
from peewee_app.models import Item, User

from ..engines import on
from ..factories import add_users, user_in_db
from ..queries import queries


def users_with_items(**page: int) -> list[tuple[int, list[int]]]:
    """Return the ids of a page's users, and of their items."""
    users = read(list[schemas.User], crud.get_users(**page))
    return [(user.id, [item.id for item in user.items]) for user in users]


@pytest.fixture(autouse=True)
def scope(pool: Pool) -> Iterator[None]:
    with pool.connection():
        yield


@pytest.mark.parametrize("count", [1, 3, 30])
def test_users_and_their_items_are_read_in_two_queries(count: int) -> None:
    add_users(count, items=2)
    with queries() as statements:
        users = users_with_items()
    assert len(statements) == 2
    assert [len(items) for _, items in users] == [2] * count
    with queries() as statements:
        schemas.User.model_validate(crud.get_user(count))
    assert len(statements) == 2


@pytest.mark.parametrize("count", [1, 30])
def test_items_are_read_in_one_query(count: int) -> None:
    add_users(count, items=1)
    with queries() as statements:
        items = read(list[schemas.Item], crud.get_items())
    assert len(statements) == 1
    assert len(items) == count


def test_creating_is_one_insert() -> None:
    with queries() as statements:
        crud.create_user(user_in_db())
        crud.create_user_item(schemas.ItemCreate(title="a"), 1)
    assert [statement.split()[0] for statement in statements] == ["INSERT", "INSERT"]


def test_items_of_a_user_are_ordered_by_id() -> None:
    add_users(2, items=3)
    crud.create_user_item(schemas.ItemCreate(title="a"), 1)
    user = schemas.User.model_validate(crud.get_user(1))
    assert [item.id for item in user.items] == [1, 2, 3, 7]
    assert users_with_items() == [(1, [1, 2, 3, 7]), (2, [4, 5, 6])]


def test_pages() -> None:
    add_users(4, items=1)
    assert [user.id for user in crud.get_users(skip=1, limit=2)] == [2, 3]
    assert [item.id for item in crud.get_items(skip=3, limit=2)] == [4]
    assert [item.id for item in crud.get_items(owner_id=3)] == [3]
    assert list(crud.get_users(limit=0)) == []
    assert list(crud.get_users(skip=4)) == []


def test_a_page_has_only_the_items_of_its_own_users() -> None:
    add_users(5, items=2)
    crud.create_user_item(schemas.ItemCreate(title="last"), 2)
    crud.delete_user(3)
    assert users_with_items(skip=1, limit=2) == [(2, [3, 4, 11]), (4, [7, 8])]


def test_defaults_are_the_first_hundred() -> None:
    add_users(101, items=1)
    assert len(crud.get_users()) == len(crud.get_items()) == 100


def test_get_user() -> None:
    add_users(1)
    user = crud.get_user_by_email("0@example.com")
    assert user is not None
    assert user.email == "0@example.com"
    assert user == crud.get_user(1) == crud.get_users()[0]
    assert crud.get_user(2) is None
    assert crud.get_user_by_email("0@EXAMPLE.com") is None


def test_the_unique_index_decides_about_the_email() -> None:
    crud.create_user(user_in_db())
    with pytest.raises(UniqueViolation):
        crud.create_user(user_in_db())


def test_the_foreign_key_decides_about_the_owner() -> None:
    with pytest.raises(ForeignKeyViolation):
        crud.create_user_item(schemas.ItemCreate(title="a"), 1)
    assert list(crud.get_items()) == []


@pytest.mark.parametrize("items", [0, 20])
def test_fixed_numbers_of_queries(items: int) -> None:
    crud.create_user(user_in_db())
    for _ in range(1 + items):
        crud.create_user_item(schemas.ItemCreate(title="a"), 1)
    runs: list[tuple[Callable[[], Any], list[str]]] = [
        (lambda: crud.get_item(1), ["SELECT"]),
        (
            lambda: crud.update_item(1, {"title": "b"}),
            ["UPDATE", "SELECT"],
        ),
        (lambda: crud.update_item(1, {}), ["SELECT"]),
        (
            lambda: crud.update_user(1, {"is_active": False}),
            ["SELECT", "UPDATE", "SELECT", "SELECT"],  # The last of the items.
        ),
        (lambda: crud.delete_item(1), ["DELETE"]),
        (lambda: crud.delete_user(1), ["SELECT", "DELETE", "DELETE"]),
    ]
    for run, expected in runs:
        with queries() as statements:
            assert run()
        verbs = [statement.split()[0].upper() for statement in statements]
        assert [v for v in verbs if v not in ("BEGIN", "COMMIT")] == expected


def test_an_update_names_only_what_changes() -> None:
    crud.create_user(user_in_db())
    with queries() as statements:
        crud.update_user(1, {"is_active": False})
    (update,) = (sql for sql in statements if sql.startswith("UPDATE"))
    assert "is_active" in update
    assert "email" not in update
    assert "password" not in update


def test_an_updated_user_has_the_items_of_that_moment() -> None:
    """Ignore changes by others before the answer."""
    user = User.create(email="a", hashed_password="")
    for title in "ab":
        Item.create(title=title, owner=user)
    updated = crud.update_user(user.id, {"is_active": False})
    crud.delete_user(user.id)
    answer = schemas.User.model_validate(updated, from_attributes=True)
    assert [item.title for item in answer.items] == ["a", "b"]
    assert crud.update_user(user.id, {"is_active": True}) is None


@on("postgresql", "mariadb")
def test_nobody_deletes_a_user_between_an_empty_change_and_its_answer(
    url: str,
) -> None:
    """Return the user and the items of one moment."""
    user = User.create(email="a", hashed_password="")
    with db.atomic():
        crud.update_user(user.id, {})
        with (
            connect(db, url),
            pytest.raises(OperationalError),
            db.atomic(),
        ):
            User.select().where(User.id == user.id).for_update(nowait=True).get()
