"""A few open connections of the bare driver, each used by one thread at a time."""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, LiteralString, TypeVar

import psycopg
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

SQLITE = "sqlite:///"

# Those of a SQLite file take turns, since its driver hands the GIL over for each row.
SQLITE_CONNECTIONS = 1
POSTGRESQL_CONNECTIONS = 4

# The same promise as in the other apps: what was answered survives a power cut.
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


T = TypeVar("T")


class Connection:
    """One connection in autocommit mode; `?` stands for a value, in either driver."""

    def __init__(self, url: str) -> None:
        self._driver: sqlite3.Connection | psycopg.Connection
        self.is_sqlite = url.startswith(SQLITE)
        if self.is_sqlite:
            self._driver = sqlite3.connect(
                url.removeprefix(SQLITE), check_same_thread=False, isolation_level=None
            )
            for pragma in PRAGMAS:
                self._driver.execute(f"PRAGMA {pragma}")
        else:
            self._driver = psycopg.connect(url, autocommit=True)

    def rows(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement that returns rows."""
        if isinstance(self._driver, sqlite3.Connection):
            return self._driver.execute(query, values).fetchall()
        return self._driver.execute(query.replace("?", "%s"), values).fetchall()

    def script(self, statements: LiteralString) -> None:
        """Run statements that return nothing."""
        if isinstance(self._driver, sqlite3.Connection):
            self._driver.executescript(statements)
        else:
            self._driver.execute(statements)

    def close(self) -> None:
        """Close it."""
        self._driver.close()


class Database:
    """The database at a `sqlite:///` or `postgresql://` URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        size = SQLITE_CONNECTIONS if url.startswith(SQLITE) else POSTGRESQL_CONNECTIONS
        self._limiter = CapacityLimiter(size)
        self._size = size
        self._idle: deque[Connection] = deque()

    def open(self) -> None:
        """Connect, and create the tables if they are missing."""
        self._idle.extend(Connection(self._url) for _ in range(self._size))
        id_type = "INTEGER" if self._url.startswith(SQLITE) else "SERIAL"
        self._idle[0].script(TABLES.format(id=id_type))

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    async def run(self, query: Callable[[Connection], T]) -> T:
        """Call `query` with a connection, on a thread."""

        def work() -> T:
            connection = self._idle.pop()
            try:
                return query(connection)
            finally:
                self._idle.append(connection)

        return await run_sync(work, limiter=self._limiter)
