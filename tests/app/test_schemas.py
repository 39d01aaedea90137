"""Schemas: JSON in and out."""

from peewee_app import schemas


def test_what_is_returned_has_no_password() -> None:
    assert "password" not in str(schemas.User.model_json_schema()).replace(
        "without a password", ""
    )


def test_what_is_read_is_never_rejected_for_being_looser() -> None:
    item = {"title": "a" * 300, "description": "\0", "id": 1, "owner_id": 1}
    schemas.User.model_validate(
        {"email": "not an email", "id": 1, "is_active": False, "items": [item]}
    )


def test_a_password_does_not_show_in_a_log() -> None:
    user = schemas.UserCreate(email="a@example.com", password="chimichangas")
    assert "chimichangas" not in repr(user)
    assert "chimichangas" not in repr(schemas.UserUpdate(password="chimichangas"))
    stored = schemas.UserInDB(email="a@example.com", hashed_password="argon2")
    assert "argon2" not in repr(stored)
