"""Application. `uvicorn comparison.pwasyncio_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from peewee import Load

from ..sqlalchemy_app import schemas
from .models import Item, User, db, make_database


async def get_db(request: Request) -> AsyncIterator[Any]:
    """Yield the database, with a connection held until after the response was sent."""
    async with request.app.state.database as database:
        yield database


Db = Annotated[Any, Depends(get_db)]

router = APIRouter()

USERS = User.select().order_by(User.id).with_related(Load(User.items))


@router.post("/users/", response_model=schemas.User)
async def create_user(user: schemas.UserCreate, db: Db) -> dict[str, Any]:
    """Create a user. The email must not be registered yet."""
    if await User.aget_or_none(User.email == user.email):
        raise HTTPException(400, "Email already registered")
    fake_hashed_password = user.password + "notreallyhashed"
    created = await User.acreate(email=user.email, hashed_password=fake_hashed_password)
    return {**created.__data__, "items": []}


@router.get("/users/", response_model=list[schemas.User])
async def read_users(db: Db, skip: int = 0, limit: int = 100) -> Any:
    """List users with their items."""
    return await db.list(USERS.offset(skip).limit(limit))


@router.get("/users/{user_id}", response_model=schemas.User)
async def read_user(user_id: int, db: Db) -> Any:
    """Read one user, with the user's items."""
    try:
        return await db.get(USERS.where(User.id == user_id))
    except User.DoesNotExist:
        raise HTTPException(404, "User not found") from None


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
async def create_item_for_user(user_id: int, item: schemas.ItemCreate, db: Db) -> Any:
    """Create an item that belongs to the user."""
    return await Item.acreate(**item.model_dump(), owner=user_id)


@router.get("/items/", response_model=list[schemas.Item])
async def read_items(db: Db, skip: int = 0, limit: int = 100) -> Any:
    """List items."""
    return await db.list(Item.select().order_by(Item.id).offset(skip).limit(limit))


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    database = make_database(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        db.initialize(database)
        async with database:
            await database.acreate_tables([User, Item])
        yield
        await database.close_pool()

    app = FastAPI(lifespan=lifespan)
    app.state.database = database
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
