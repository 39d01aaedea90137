"""What code asks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from peewee import QueryEvent

from peewee_app.database import db


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that run inside, as Peewee itself reports them."""
    statements: list[str] = []

    def hook(event: QueryEvent) -> None:
        statements.append(event.sql)

    db.query_hooks.append(hook)
    yield statements
    db.query_hooks.remove(hook)
