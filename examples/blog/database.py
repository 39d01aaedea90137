"""Database: its URL, its pool, and a connection for each request."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    connector,
    migrate,
    pool_size,
)

URL = os.environ.get("DATABASE_URL", "sqlite:///./blog.db")
MIGRATIONS = Path(__file__).parent / "migrations"

db = ContextDatabase()
pool = Pool(db, connector(URL), size=pool_size(URL), timeout=10)


def update_tables() -> None:
    migrate(connector(URL), MIGRATIONS)


async def get_db() -> AsyncIterator[ContextDatabase]:
    async with pool.request() as db:
        yield db
