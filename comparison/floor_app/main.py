"""Application. `uvicorn comparison.floor_app.main:app` serves it.

Only the routes that are measured. DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from pydantic_core import to_json

from .database import Row, make_database

ITEM = "SELECT id, title, description, owner_id FROM items"
ITEMS = f"{ITEM} ORDER BY id LIMIT ?1 OFFSET ?2"
ITEMS_OF_USER = f"{ITEM} WHERE owner_id = ?1 ORDER BY id"
USER = "SELECT id, email, is_active FROM users"
USER_BY_ID = f"{USER} WHERE id = ?1"
USERS = f"{USER} ORDER BY id LIMIT ?1 OFFSET ?2"
ITEMS_OF_USERS = f"""
{ITEM} WHERE owner_id IN (SELECT id FROM users ORDER BY id LIMIT ?1 OFFSET ?2)
ORDER BY id
"""  # noqa: S608 - no word of it comes from outside
NEW_ITEM = (
    "INSERT INTO items (title, description, owner_id) VALUES (?1, ?2, ?3) "
    "RETURNING id, title, description, owner_id"
)


class ItemCreate(BaseModel):
    """An item to create."""

    title: str
    description: str | None = None


def item_json(row: Row) -> dict[str, Any]:
    """Return an item as JSON has it; `row` is ITEM's."""
    id_, title, description, owner_id = row
    return {
        "title": title,
        "description": description,
        "id": id_,
        "owner_id": owner_id,
    }


def user_json(row: Row, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a user as JSON has it; `row` is USER's."""
    id_, email, is_active = row
    return {"email": email, "id": id_, "is_active": bool(is_active), "items": items}


def user_answer(users: list[Row], items: list[Row]) -> bytes | None:
    """Return the JSON of a user, or None."""
    if not users:
        return None
    return to_json(user_json(users[0], [item_json(row) for row in items]))


def users_answer(users: list[Row], items: list[Row]) -> bytes:
    """Return the JSON of a page of users."""
    items_of: dict[int, list[dict[str, Any]]] = {row[0]: [] for row in users}
    for row in items:
        items_of[row[3]].append(item_json(row))
    return to_json([user_json(row, items_of[row[0]]) for row in users])


def items_answer(items: list[Row]) -> bytes:
    """Return the JSON of a page of items."""
    return to_json([item_json(row) for row in items])


def item_answer(items: list[Row]) -> bytes:
    """Return the JSON of one item."""
    return to_json(item_json(items[0]))


def respond(content: bytes) -> Response:
    """Return JSON without FastAPI's response model."""
    return Response(content, media_type="application/json")


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    database = make_database(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.open()
        yield
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/users/{user_id}")
    async def read_user(user_id: int) -> Response:
        content = await database.answer(
            user_answer, (USER_BY_ID, (user_id,)), (ITEMS_OF_USER, (user_id,))
        )
        if content is None:
            raise HTTPException(404, "User not found")
        return respond(content)

    @app.get("/users/")
    async def read_users(skip: int = 0, limit: int = 100) -> Response:
        page = (limit, skip)
        return respond(
            await database.answer(users_answer, (USERS, page), (ITEMS_OF_USERS, page))
        )

    @app.get("/items/")
    async def read_items(skip: int = 0, limit: int = 100) -> Response:
        return respond(await database.answer(items_answer, (ITEMS, (limit, skip))))

    @app.post("/users/{user_id}/items/")
    async def create_item_for_user(user_id: int, item: ItemCreate) -> Response:
        values = (item.title, item.description, user_id)
        return respond(await database.answer(item_answer, (NEW_ITEM, values)))

    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
