"""Fresh databases, and the rows in them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

SQLITE = "sqlite:///"

# Seconds to wait for a server that is still writing.
LOCK_TIMEOUT = 30

# Connections that a server needs for the pools of all apps, which are open at once.
CONNECTIONS = 300

# SQL that both engines understand. `/` divides integers.
FILL = """
WITH RECURSIVE numbers (n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {users}
)
INSERT INTO users (id, email, hashed_password, is_active)
SELECT n, 'user' || n || '@example.com', 'notreallyhashed', {true} FROM numbers;
WITH RECURSIVE numbers (n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {items}
)
INSERT INTO items (id, title, description, owner_id)
SELECT n, 'Item ' || n, 'The description of item ' || n, (n - 1) / {items_per_user} + 1
FROM numbers
"""

# PostgreSQL does not notice ids that it has not given itself.
NEXT_ID = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"


def engine(server_url: str | None) -> str:
    """Name and version of the database engine; None stands for SQLite."""
    if server_url is None:
        return f"SQLite {sqlite3.sqlite_version}"
    with psycopg.connect(server_url) as server:
        version = server.info.server_version
    return f"PostgreSQL {version // 10000}.{version % 10000}"


def check_connections(server_url: str) -> None:
    """Raise SystemExit if the server allows too few connections."""
    with psycopg.connect(server_url) as server:
        (allowed,) = server.execute("SHOW max_connections").fetchall()[0]
    if int(allowed) < CONNECTIONS:
        raise SystemExit(
            f"The server allows {allowed} connections, and the pools of all apps need "
            f"up to {CONNECTIONS}: ALTER SYSTEM SET max_connections = {CONNECTIONS}, "
            "and restart it."
        )


@contextmanager
def fresh_database(server_url: str | None, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database, which is gone afterwards.

    It is a SQLite file in `folder`; or, given the `postgresql://` URL of a server, a
    new database there, for which the user in it must be allowed to create databases.
    """
    if server_url is None:
        yield f"{SQLITE}{folder}/comparison.db"
        return
    # The folder's name is random, and so this one is nobody else's.
    name = f"comparison_{folder.name}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(drop.format(sql.Identifier(name)))


def fill(url: str, users: int, items_per_user: int) -> None:
    """Replace all rows: these users, each with as many items, ids from 1 on."""
    numbers = {
        "users": users,
        "items": users * items_per_user,
        "items_per_user": items_per_user,
    }
    if url.startswith(SQLITE):
        statements = ["PRAGMA synchronous = off", "BEGIN"]
        statements += ["DELETE FROM items", "DELETE FROM users"]
        statements += FILL.format(**numbers, true=1).split(";")
        statements += ["COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"]
    else:
        statements = ["TRUNCATE users, items"]
        statements += FILL.format(**numbers, true="true").split(";")
        statements += [NEXT_ID.format(table=table) for table in ("users", "items")]
        statements += ["VACUUM ANALYZE"]
    _execute(url, statements)


def remove_items(url: str, after: int) -> None:
    """Remove the items with an id above `after`."""
    _execute(url, [f"DELETE FROM items WHERE id > {after:d}"])  # noqa: S608 - a number


def _execute(url: str, statements: list[str]) -> None:
    if url.startswith(SQLITE):
        path = url.removeprefix(SQLITE)
        with closing(
            sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)
        ) as connection:
            for statement in statements:
                connection.execute(statement).fetchall()
    else:
        with psycopg.connect(url, autocommit=True) as postgresql:
            for statement in statements:
                postgresql.execute(statement.encode())
