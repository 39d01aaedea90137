"""The path operations."""

import os
from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from peewee import IntegrityError
from pydantic import BaseModel
from pydantic_core import to_json

from . import crud, schemas
from .database import Db
from .statement import Row

router = APIRouter()

# The range of an INTEGER column, and of an OFFSET.
UserId = Annotated[int, Path(ge=-(2**31), le=2**31 - 1)]
Skip = Annotated[int, Query(ge=0, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=0, le=1000)]

# Hashing keeps a core busy and takes 64 MiB, so more at once would only cost memory.
hashing_threads = CapacityLimiter(os.cpu_count() or 1)


async def with_hashed_password(user: schemas.UserCreate) -> schemas.UserCreate:
    """The user to create, hashed on a worker thread, while no connection is held."""
    await run_sync(lambda: user.hashed_password, limiter=hashing_threads)
    return user


HashedUser = Annotated[schemas.UserCreate, Depends(with_hashed_password)]


def respond(result: BaseModel | Row | list[Row]) -> Response:
    """A JSON response, made on the thread that ran the query.

    Of a result that is no response FastAPI makes one too, on another thread.
    """
    return Response(to_json(result), media_type="application/json")


# Dependencies run in the order of the parameters: first the hash, then the database.
@router.post("/users/", response_model=schemas.User)
def create_user(user: HashedUser, db: Db) -> Response:
    """Create a user. The email must not be registered yet."""
    try:
        created = crud.create_user(user=user)
    except IntegrityError:
        if crud.get_user_by_email(user.email) is None:
            raise
        raise HTTPException(400, "Email already registered") from None
    return respond(schemas.User.model_validate(created))


@router.get("/users/", response_model=list[schemas.User])
def read_users(db: Db, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List users with their items, ordered by id."""
    return respond(crud.get_users(skip=skip, limit=limit))


@router.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: UserId, db: Db) -> Response:
    """Read one user, with the user's items."""
    user = crud.get_user(user_id=user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return respond(user)


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: UserId, item: schemas.ItemCreate, db: Db) -> Response:
    """Create an item that belongs to the user."""
    try:
        created = crud.create_user_item(item=item, user_id=user_id)
    except IntegrityError:
        if crud.get_user(user_id) is not None:
            raise
        raise HTTPException(404, "User not found") from None
    return respond(schemas.Item.model_validate(created))


@router.get("/items/", response_model=list[schemas.Item])
def read_items(db: Db, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List items, ordered by id."""
    return respond(crud.get_items(skip=skip, limit=limit))
