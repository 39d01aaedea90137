"""The application. `uvicorn comparison.floor_app.main:app` serves it.

Only the routes that are measured. From the environment comes DATABASE_URL.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from pydantic_core import to_json

from .database import Connection, Database

ITEM = "SELECT id, title, description, owner_id FROM items"
USER = "SELECT id, email, is_active FROM users"
PAGE = "ORDER BY id LIMIT ? OFFSET ?"
ITEMS_OF_PAGE = (
    "SELECT id, title, description, owner_id FROM items WHERE owner_id IN "
    "(SELECT id FROM users ORDER BY id LIMIT ? OFFSET ?) ORDER BY id"
)


class ItemCreate(BaseModel):
    """An item to create."""

    title: str
    description: str | None = None


def item_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """What is returned of an item; `row` as ITEM selects it."""
    id_, title, description, owner_id = row
    return {
        "title": title,
        "description": description,
        "id": id_,
        "owner_id": owner_id,
    }


def user_json(row: tuple[Any, ...], items: list[dict[str, Any]]) -> dict[str, Any]:
    """What is returned of a user; `row` as USER selects it."""
    id_, email, is_active = row
    return {"email": email, "id": id_, "is_active": bool(is_active), "items": items}


def select_user(db: Connection, user_id: int) -> bytes | None:
    """The JSON of a user, or None."""
    users = db.rows(f"{USER} WHERE id = ?", user_id)
    if not users:
        return None
    items = db.rows(f"{ITEM} WHERE owner_id = ? ORDER BY id", user_id)
    return to_json(user_json(users[0], [item_json(row) for row in items]))


def select_users(db: Connection, skip: int, limit: int) -> bytes:
    """The JSON of a page of users."""
    users = db.rows(f"{USER} {PAGE}", limit, skip)
    items_of: dict[int, list[dict[str, Any]]] = {row[0]: [] for row in users}
    for row in db.rows(ITEMS_OF_PAGE, limit, skip):
        items_of[row[3]].append(item_json(row))
    return to_json([user_json(row, items_of[row[0]]) for row in users])


def select_items(db: Connection, skip: int, limit: int) -> bytes:
    """The JSON of a page of items."""
    rows = db.rows(f"{ITEM} {PAGE}", limit, skip)
    return to_json([item_json(row) for row in rows])


def insert_item(db: Connection, user_id: int, item: ItemCreate) -> bytes:
    """The JSON of the new item."""
    query = (
        "INSERT INTO items (title, description, owner_id) VALUES (?, ?, ?) "
        "RETURNING id, title, description, owner_id"
    )
    return to_json(item_json(db.rows(query, item.title, item.description, user_id)[0]))


def json_response(content: bytes) -> Response:
    """200 with that JSON, past FastAPI's response model."""
    return Response(content, media_type="application/json")


def create_app(url: str) -> FastAPI:
    """The app on the database at `url`, which is opened when the app starts."""
    database = Database(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        database.open()
        yield
        database.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/users/{user_id}")
    async def read_user(user_id: int) -> Response:
        content = await database.run(lambda db: select_user(db, user_id))
        if content is None:
            raise HTTPException(404, "User not found")
        return json_response(content)

    @app.get("/users/")
    async def read_users(skip: int = 0, limit: int = 100) -> Response:
        return json_response(
            await database.run(lambda db: select_users(db, skip, limit))
        )

    @app.get("/items/")
    async def read_items(skip: int = 0, limit: int = 100) -> Response:
        return json_response(
            await database.run(lambda db: select_items(db, skip, limit))
        )

    @app.post("/users/{user_id}/items/")
    async def create_item_for_user(user_id: int, item: ItemCreate) -> Response:
        return json_response(
            await database.run(lambda db: insert_item(db, user_id, item))
        )

    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
