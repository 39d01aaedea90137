"""Application. `uvicorn comparison.sqlalchemy_tuned_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException
from sqlalchemy.orm import sessionmaker

from ..sqlalchemy_app import schemas
from ..sqlalchemy_app.crud import get_items, get_user_by_email
from ..sqlalchemy_app.database import Db
from ..sqlalchemy_app.models import Item, User
from . import crud
from .database import create_tables, make_tuned_engine

router = APIRouter()


@router.post("/users/", response_model=schemas.User)
def create_user(user: schemas.UserCreate, db: Db) -> User:
    """Create a user. The email must not be registered yet."""
    if get_user_by_email(db, email=user.email):
        raise HTTPException(400, "Email already registered")
    return crud.create_user(db, user=user)


@router.get("/users/", response_model=list[schemas.User])
def read_users(db: Db, skip: int = 0, limit: int = 100) -> list[User]:
    """List users with their items."""
    return crud.get_users(db, skip=skip, limit=limit)


@router.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int, db: Db) -> User:
    """Read one user, with the user's items."""
    db_user = crud.get_user(db, user_id=user_id)
    if db_user is None:
        raise HTTPException(404, "User not found")
    return db_user


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: int, item: schemas.ItemCreate, db: Db) -> Item:
    """Create an item that belongs to the user."""
    return crud.create_user_item(db, item=item, user_id=user_id)


@router.get("/items/", response_model=list[schemas.Item])
def read_items(db: Db, skip: int = 0, limit: int = 100) -> list[Item]:
    """List items."""
    return get_items(db, skip=skip, limit=limit)


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    engine = make_tuned_engine(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with engine.begin() as connection:
            create_tables(connection)
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)
    # With expiry, an object is read again after the commit that has just written it.
    app.state.sessions = sessionmaker(engine, expire_on_commit=False)
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
