"""Application. `uvicorn comparison.tortoise_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import field_validator
from tortoise.contrib.fastapi import RegisterTortoise
from tortoise.fields import ReverseRelation

from ..sqlalchemy_app import schemas
from . import models
from .models import Item

router = APIRouter()


class User(schemas.User):
    """A user as it is returned, with the user's items and without a password."""

    @field_validator("items", mode="before")
    @classmethod
    def fetched(cls, items: Any) -> Any:
        """Return a list, the only sequence that Pydantic takes."""
        return list(items) if isinstance(items, ReverseRelation) else items


@router.post("/users/", response_model=User)
async def create_user(user: schemas.UserCreate) -> models.User:
    """Create a user. The email must not be registered yet."""
    if await models.User.exists(email=user.email):
        raise HTTPException(400, "Email already registered")
    fake_hashed_password = user.password + "notreallyhashed"
    created = await models.User.create(
        email=user.email, hashed_password=fake_hashed_password
    )
    await created.fetch_related("items")
    return created


@router.get("/users/", response_model=list[User])
async def read_users(skip: int = 0, limit: int = 100) -> list[models.User]:
    """List users with their items."""
    users = models.User.all().order_by("id").offset(skip).limit(limit)
    return await users.prefetch_related("items")


@router.get("/users/{user_id}", response_model=User)
async def read_user(user_id: int) -> models.User:
    """Read one user, with the user's items."""
    user = await models.User.get_or_none(id=user_id).prefetch_related("items")
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
async def create_item_for_user(user_id: int, item: schemas.ItemCreate) -> Item:
    """Create an item that belongs to the user."""
    return await Item.create(**item.model_dump(), owner_id=user_id)


@router.get("/items/", response_model=list[schemas.Item])
async def read_items(skip: int = 0, limit: int = 100) -> list[Item]:
    """List items."""
    return await Item.all().order_by("id").offset(skip).limit(limit)


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with RegisterTortoise(
            app,
            # Tortoise has the path after two slashes.
            db_url=url.replace("sqlite:///", "sqlite://"),
            modules={"models": [models.__name__]},
            generate_schemas=True,
        ):
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
