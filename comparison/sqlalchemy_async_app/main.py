"""Application. `uvicorn comparison.sqlalchemy_async_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException
from sqlalchemy.ext.asyncio import async_sessionmaker

from ..sqlalchemy_app import schemas
from ..sqlalchemy_app.models import Item, User
from ..sqlalchemy_tuned_app.database import create_tables
from . import crud
from .database import Db, make_engine

router = APIRouter()


@router.post("/users/", response_model=schemas.User)
async def create_user(user: schemas.UserCreate, db: Db) -> User:
    """Create a user. The email must not be registered yet."""
    if await crud.get_user_by_email(db, email=user.email):
        raise HTTPException(400, "Email already registered")
    return await crud.create_user(db, user=user)


@router.get("/users/", response_model=list[schemas.User])
async def read_users(db: Db, skip: int = 0, limit: int = 100) -> list[User]:
    """List users with their items."""
    return await crud.get_users(db, skip=skip, limit=limit)


@router.get("/users/{user_id}", response_model=schemas.User)
async def read_user(user_id: int, db: Db) -> User:
    """Read one user, with the user's items."""
    db_user = await crud.get_user(db, user_id=user_id)
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
async def create_item_for_user(user_id: int, item: schemas.ItemCreate, db: Db) -> Item:
    """Create an item that belongs to the user."""
    return await crud.create_user_item(db, item=item, user_id=user_id)


@router.get("/items/", response_model=list[schemas.Item])
async def read_items(db: Db, skip: int = 0, limit: int = 100) -> list[Item]:
    """List items."""
    return await crud.get_items(db, skip=skip, limit=limit)


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    engine = make_engine(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(create_tables)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
