"""Factories of bodies to send, rows to store, and apps."""

from typing import Any

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider

from harness.clients import USER
from peewee_app import main, models, schemas
from peewee_app.settings import Settings

__all__ = ["ITEM", "USER", "add_users", "create_app", "user_in_db"]

ITEM = {"title": "Foo", "description": "The Foo Wrestlers"}


def create_app(
    url: str, *, provider: TracerProvider | None = None, **settings: Any
) -> FastAPI:
    """Make the app on the database at `url`, with these settings."""
    given = Settings.model_validate({"database_url": url, **settings})
    return main.create_app(given, provider)


def user_in_db(email: str = USER["email"]) -> schemas.UserInDB:
    """Make a user to store, without a real hash, which is slow."""
    return schemas.UserInDB(email=email, hashed_password="")


def add_users(count: int, items: int = 0) -> None:
    """Store `count` users with `items` items each, in the current scope."""
    for n in range(count):
        user = models.User.create(email=f"{n}@example.com", hashed_password="")
        for k in range(items):
            models.Item.create(title=f"{k} of {n}", owner=user)
