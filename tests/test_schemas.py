"""The schemas, and the getter dict that reads Peewee objects."""

import pytest
from peewee import Load, QueryEvent

from peewee_app import schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool
from peewee_app.models import Item, User


def test_columns_and_the_raw_foreign_key_are_read_without_a_query() -> None:
    """Outside a scope: a query would raise."""
    item = schemas.Item.model_validate(Item(id=1, title="a", owner=2))
    assert item.model_dump() == {
        "title": "a",
        "description": None,
        "id": 1,
        "owner_id": 2,
    }


def test_a_backref_costs_one_query_and_none_if_it_was_loaded(pool: Pool) -> None:
    events: list[QueryEvent] = []
    with pool.connection():
        user = User.create(email="a", hashed_password="")
        Item.create(title="a", owner=user)
        (loaded,) = User.select().with_related(Load(User.items))
        db.query_hooks.append(events.append)
        first = schemas.User.model_validate(loaded)
        assert len(events) == 0
        second = schemas.User.model_validate(user)
        assert len(events) == 1
    assert first == second
    assert [item.title for item in first.items] == ["a"]


def test_what_is_returned_has_no_password() -> None:
    assert "password" not in str(schemas.User.model_json_schema()).replace(
        "without a password", ""
    )


def test_what_is_read_is_never_rejected_for_being_looser() -> None:
    item = {"title": "a" * 300, "description": "\0", "id": 1, "owner_id": 1}
    schemas.User.model_validate(
        {"email": "not an email", "id": 1, "is_active": False, "items": [item]}
    )


def test_other_objects_are_read_as_pydantic_reads_them() -> None:
    data = {"title": "a", "id": 1, "owner_id": 1}
    assert schemas.Item.model_validate(data).title == "a"
    with pytest.raises(ValueError, match="valid dictionary"):
        schemas.Item.model_validate(object())


def test_a_password_does_not_show_in_a_log() -> None:
    user = schemas.UserCreate(email="a@example.com", password="chimichangas")
    assert user.hashed_password
    assert "chimichangas" not in repr(user)
    assert user.hashed_password not in repr(user)
