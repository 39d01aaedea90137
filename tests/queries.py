"""Statements that code runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from peewee import QueryEvent

from peewee_app.database import db
from peewee_app.fastapi_peewee import ContextDatabase

T = TypeVar("T")


def queries(database: ContextDatabase = db) -> AbstractContextManager[list[str]]:
    """Yield the statements that run inside, as Peewee itself reports them."""
    return _reported(lambda event: event.sql, database)


def queries_with_values() -> AbstractContextManager[list[tuple[str, Any]]]:
    """Yield each with its values."""
    return _reported(lambda event: (event.sql, list(event.params)))


@contextmanager
def _reported(
    what: Callable[[QueryEvent], T], database: ContextDatabase = db
) -> Iterator[list[T]]:
    found: list[T] = []

    def hook(event: QueryEvent) -> None:
        found.append(what(event))

    database.query_hooks.append(hook)
    yield found
    database.query_hooks.remove(hook)
