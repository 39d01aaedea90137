"""A few open connections of the bare driver, each used by one request at a time."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import asyncpg
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

SQLITE = "sqlite:///"
POSTGRESQL_CONNECTIONS = 20

# As in the other apps, an acknowledged write survives a power cut.
PRAGMAS = ("journal_mode = wal", "synchronous = full", "foreign_keys = 1")

TABLES = """
CREATE TABLE IF NOT EXISTS users (
    id {id} PRIMARY KEY,
    email VARCHAR NOT NULL,
    hashed_password VARCHAR NOT NULL,
    is_active BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS items (
    id {id} PRIMARY KEY,
    title VARCHAR NOT NULL,
    description VARCHAR,
    owner_id INTEGER NOT NULL REFERENCES users (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS ix_users_email ON users (email);
CREATE INDEX IF NOT EXISTS ix_items_title ON items (title);
CREATE INDEX IF NOT EXISTS ix_items_description ON items (description);
CREATE INDEX IF NOT EXISTS ix_items_owner_id ON items (owner_id);
"""

# A statement with ?1, ?2 … for its values, and these.
Query = tuple[str, tuple[Any, ...]]
Row = Any
T = TypeVar("T")


class Database(Protocol):
    """Connections to one database."""

    async def open(self) -> None:
        """Connect, and create the tables if they are missing."""

    async def close(self) -> None:
        """Close the connections."""

    async def answer(self, build: Callable[..., T], *queries: Query) -> T:
        """Return what `build` makes of the rows of each of the queries."""
        raise NotImplementedError


class Sqlite:
    """One connection, since its driver hands the GIL over for each row."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = CapacityLimiter(1)

    async def open(self) -> None:
        self._connection = sqlite3.connect(
            self._path, check_same_thread=False, isolation_level=None
        )
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(TABLES.format(id="INTEGER"))

    async def close(self) -> None:
        self._connection.close()

    async def answer(self, build: Callable[..., T], *queries: Query) -> T:
        def work() -> T:
            execute = self._connection.execute
            return build(*(execute(sql, values).fetchall() for sql, values in queries))

        return await run_sync(work, limiter=self._turn)


class Postgresql:
    """Some connections of asyncpg."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: asyncio.LifoQueue[asyncpg.Connection] = asyncio.LifoQueue()

    async def open(self) -> None:
        for _ in range(POSTGRESQL_CONNECTIONS):
            connection = await asyncpg.connect(self._url)
            self._idle.put_nowait(connection)
        await connection.execute(TABLES.format(id="SERIAL"))

    async def close(self) -> None:
        while not self._idle.empty():
            await self._idle.get_nowait().close()

    async def answer(self, build: Callable[..., T], *queries: Query) -> T:
        connection = await self._idle.get()
        try:
            rows = [
                await connection.fetch(sql.replace("?", "$"), *values)
                for sql, values in queries
            ]
        finally:
            self._idle.put_nowait(connection)
        return build(*rows)


def make_database(url: str) -> Database:
    """Make the database of a `sqlite:///` or `postgresql://` URL; connect later."""
    if url.startswith(SQLITE):
        return Sqlite(url.removeprefix(SQLITE))
    return Postgresql(url)
