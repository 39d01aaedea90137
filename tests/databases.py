"""Databases: empty ones, on a server that all tests share, and locked files."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from harness.servers import Mariadb, Postgresql, running
from peewee_app.fastapi_peewee import connector

NAME = f"peewee_app_test_{os.getpid()}"
# It takes a tenth of the time of a new database.
EMPTY_POSTGRESQL = """
DO $$
DECLARE
    schema name;
BEGIN
    PERFORM pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR schema IN SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE 'DROP SCHEMA ' || quote_ident(schema) || ' CASCADE';
    END LOOP;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$
"""


def execute(url: str, *statements: str) -> None:
    """Run the statements on the database."""
    with closing(connector(url)()) as database:
        database.connect()
        for statement in statements:
            database.execute_sql(statement)


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of a new database, on `TEST_POSTGRESQL_URL` or a new server."""
    with ExitStack() as stack:
        url = os.environ.get("TEST_POSTGRESQL_URL")
        url = url or stack.enter_context(running(Postgresql)).url("postgres")
        with new_database(url, NAME, force=" WITH (FORCE)") as database:
            yield database


@contextmanager
def mariadb() -> Iterator[str]:
    """Yield the URL of a new database, on `TEST_MYSQL_URL` or a new server."""
    with ExitStack() as stack:
        url = os.environ.get("TEST_MYSQL_URL")
        url = url or stack.enter_context(running(Mariadb)).url("mysql")
        with new_database(url, NAME) as database:
            yield database


@contextmanager
def new_database(
    server_url: str, name: str, options: str = "", *, force: str = ""
) -> Iterator[str]:
    """Yield the URL of a new database, made with these options."""
    drop = f"DROP DATABASE IF EXISTS {name}{force}"
    execute(server_url, drop, f"CREATE DATABASE {name} {options}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        execute(server_url, drop)


def empty(url: str) -> None:
    """Empty the database, and disconnect everybody else from it."""
    if url.startswith("postgresql"):
        execute(url, EMPTY_POSTGRESQL)
    else:
        execute(url, f"DROP DATABASE {NAME}", f"CREATE DATABASE {NAME}")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock for writing on a SQLite file, which has a log, as the app's has."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode=wal")
        other.execute("BEGIN IMMEDIATE")
        yield
