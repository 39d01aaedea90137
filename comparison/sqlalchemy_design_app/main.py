"""Application. `uvicorn comparison.sqlalchemy_design_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException, Response
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from peewee_app.web.body_limit import BodyLimitMiddleware
from peewee_app.web.request_id import RequestIdMiddleware, request_ids_in_logs
from peewee_app.web.security_headers import SecurityHeadersMiddleware
from peewee_app.web.shutdown import ShutdownMiddleware

from ..sqlalchemy_app import schemas
from . import crud
from .database import Database, Db

router = APIRouter()


def respond(content: bytes) -> Response:
    """Return JSON without FastAPI's response model."""
    return Response(content, media_type="application/json")


@router.post("/users/", response_model=schemas.User)
async def create_user(user: schemas.UserCreate, db: Db) -> Response:
    """Create a user. The email must not be registered yet."""
    try:
        return respond(await db.run(lambda c: crud.create_user(c, user=user)))
    except IntegrityError:
        raise HTTPException(400, "Email already registered") from None


@router.get("/users/", response_model=list[schemas.User])
async def read_users(db: Db, skip: int = 0, limit: int = 100) -> Response:
    """List users with their items."""

    def read(connection: Connection) -> bytes:
        return crud.get_users(connection, skip=skip, limit=limit)

    return respond(await db.run_in_snapshot(read))


@router.get("/users/{user_id}", response_model=schemas.User)
async def read_user(user_id: int, db: Db) -> Response:
    """Read one user, with the user's items."""
    user = await db.run_in_snapshot(lambda c: crud.get_user(c, user_id=user_id))
    if user is None:
        raise HTTPException(404, "User not found")
    return respond(user)


@router.post("/users/{user_id}/items/", response_model=schemas.Item)
async def create_item_for_user(
    user_id: int, item: schemas.ItemCreate, db: Db
) -> Response:
    """Create an item that belongs to the user."""

    def create(connection: Connection) -> bytes:
        return crud.create_user_item(connection, item=item, user_id=user_id)

    try:
        return respond(await db.run(create))
    except IntegrityError:
        raise HTTPException(404, "User not found") from None


@router.get("/items/", response_model=list[schemas.Item])
async def read_items(db: Db, skip: int = 0, limit: int = 100) -> Response:
    """List items."""
    return respond(await db.run(lambda c: crud.get_items(c, skip=skip, limit=limit)))


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    database = Database(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        database.open()
        with request_ids_in_logs():
            yield
        database.close()

    app = FastAPI(lifespan=lifespan)
    app.state.database = database
    app.include_router(router)
    app.add_middleware(BodyLimitMiddleware, limit=1024 * 1024)
    app.add_middleware(ShutdownMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestIdMiddleware)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
