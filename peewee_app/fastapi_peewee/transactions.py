"""Transactions: `atomic` as a decorator, snapshots and retries."""

import logging
import random
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from peewee import DatabaseProxy, PeeweeException

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Attempts at a write that conflicts.
ATTEMPTS = 5


# From an error to the code of a rollback, an SQLSTATE or the number that MySQL and
# SQLite use; None for another error.
WhyRolledBack = Callable[[PeeweeException], str | int | None]


def run_again(run: Callable[[], T], why_rolled_back: WhyRolledBack) -> T:
    """Return the result of `run`, which runs up to 5 times while it is rolled back.

    That is safe if nothing else is in the transaction. Between the attempts is a short
    random pause, up to 0.16 s.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return run()
        except PeeweeException as exc:
            code = why_rolled_back(exc)
            if code is None:
                raise
            # Not the message, which may have values of a row.
            name = type(exc).__name__
            logger.warning("rolled back, running it again: %s %s", name, code)
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
    return run()


class Atomic:
    """Peewee's `db.atomic()`, for a `with` or as a decorator.

    As a decorator it runs the function again, up to 5 times in all, where the database
    has rolled the transaction back in favour of another: a deadlock, for example. Not
    within another transaction, whose other statements are gone as well.
    """

    def __init__(self, db: DatabaseProxy, atomic: Any) -> None:
        self._db = db
        self._atomic = atomic

    def __enter__(self) -> Any:
        return self._atomic.__enter__()

    def __exit__(self, *exc: object) -> Any:
        return self._atomic.__exit__(*exc)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        run: Callable[P, T] = self._atomic(function)

        @wraps(function)
        def run_or_again(*args: P.args, **kwargs: P.kwargs) -> T:
            once = partial(run, *args, **kwargs)
            why = why_rolled_back(self._db)
            return run_again(once, why) if why else once()

        return run_or_again


def in_snapshot(db: DatabaseProxy, function: Callable[[], T]) -> T:
    """Return the function's result; its queries all see one state of the database.

    It runs up to 5 times while the database rolls its transaction back, and then once
    without a snapshot: so a write that always conflicts gets done. In a transaction, or
    on a database that `connector` has not made, it just runs.
    """
    why = why_rolled_back(db)
    if why is None:
        return function()

    def read() -> T:
        with db.transaction(*db.snapshot):
            return function()

    try:
        return run_again(read, why)
    except PeeweeException as exc:
        if why(exc) is None:
            raise
    return function()


def why_rolled_back(db: DatabaseProxy) -> WhyRolledBack | None:
    """Return the test of an error for a rollback, after which all can run again.

    None in a transaction, and for a database that `connector` has not made.
    """
    connection: Any = db.obj
    why: WhyRolledBack | None = getattr(connection, "why_rolled_back", None)
    return None if why is None or connection.in_transaction() else why
