"""What code asks of the database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from peewee import QueryEvent

from peewee_app.database import db

T = TypeVar("T")


def queries() -> AbstractContextManager[list[str]]:
    """The statements that run inside, as Peewee itself reports them."""
    return _reported(lambda event: event.sql)


def queries_with_values() -> AbstractContextManager[list[tuple[str, Any]]]:
    """The same, each with its values."""
    return _reported(lambda event: (event.sql, list(event.params)))


@contextmanager
def _reported(what: Callable[[QueryEvent], T]) -> Iterator[list[T]]:
    found: list[T] = []

    def hook(event: QueryEvent) -> None:
        found.append(what(event))

    db.query_hooks.append(hook)
    yield found
    db.query_hooks.remove(hook)
