"""Statements and transactions that the database rolled back, run again."""

import logging
import random
import time
from collections.abc import Callable, Collection
from typing import TypeVar

from peewee import PeeweeException

from .engines.errors import error_code

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How often it runs at most, when the database keeps rolling it back.
ATTEMPTS = 5


def run_again(run: Callable[[], T], codes: Collection[str | int | None]) -> T:
    """What `run` returns; tried up to 5 times in all while it fails with such a code.

    That is safe when the statement is the whole transaction, and only then. Between
    the attempts is a short random pause, up to 0.16 s.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return run()
        except PeeweeException as exc:
            if error_code(exc) not in codes:
                raise
            # Not the message, which may have values of a row.
            name, code = type(exc).__name__, error_code(exc)
            logger.warning("rolled back, running it again: %s %s", name, code)
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
    return run()
