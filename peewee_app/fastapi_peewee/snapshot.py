"""One answer, one state of the database, whoever writes while it is made."""

from collections.abc import Callable
from typing import TypeVar

from .engines.connection import Connection
from .retry import run_again
from .scope import ContextDatabase, current_scope

T = TypeVar("T")

# The connection of whatever scope it is used in.
db = ContextDatabase()


def in_snapshot(function: Callable[[], T]) -> T:
    """What the function returns, whose queries all see one state of the database.

    For functions that read. It runs again, up to 5 times in all, where the database
    gives its transaction up. In a transaction, or on a database that `connector` has
    not made, it just runs.
    """
    scope = current_scope()
    database = scope.database if scope else None
    if not isinstance(database, Connection) or database.in_transaction():
        return function()

    def read() -> T:
        with db.transaction(*database.snapshot):
            return function()

    return run_again(read, database.rolled_back)
