"""Limit on the related rows of one answer, which a client cannot read in pages."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from peewee import SQL, Field, ModelSelect, OperationalError, fn

# Rows that are read at once; before more, the database is asked for their size.
FEW = 10_000
# Characters of all texts; each row counts as ROW_SIZE more.
MAX_SIZE = 16 * 1024 * 1024
ROW_SIZE = 75
TEXTS = {"CHAR", "TEXT", "VARCHAR"}


class TooLargeError(Exception):
    """An answer would have more related rows than there is memory for."""


# Held by the thread that makes a large answer; others are refused: several at once
# would take several times the memory, and block the interpreter for all others.
_large = threading.Lock()
_thread = threading.local()


@contextmanager
def one_large_answer() -> Iterator[None]:
    """Make the one large answer inside the block."""
    _thread.is_large = False
    try:
        yield
    finally:
        if vars(_thread).pop("is_large"):
            _large.release()


def check_size(query: "ModelSelect[Any]", fields: Sequence[Field]) -> None:
    """Raise TooLargeError if these columns of the rows are too large for an answer.

    Raise OperationalError while another thread makes a large answer.
    """
    texts = [f for f in dict.fromkeys(fields) if f.field_type in TEXTS]
    length = fn.SUM(sum((fn.COALESCE(fn.LENGTH(text), 0) for text in texts), SQL("0")))
    measured = query.select(fn.COUNT(SQL("1")), length).order_by()
    database = query.model._meta.database
    ((rows, characters),) = database.execute(measured).fetchall()
    if int(characters) + rows * ROW_SIZE > MAX_SIZE:
        raise TooLargeError(f"{rows} related rows are too many for one answer")
    if getattr(_thread, "is_large", True):
        return
    if not _large.acquire(blocking=False):
        raise OperationalError("another large answer is being made")
    _thread.is_large = True


async def too_large(_request: Request, _exc: Exception) -> JSONResponse:
    """Return a 400: the same request always has no answer.

    413 is for requests, and 422 has a list of errors for its detail.
    """
    detail = (
        "The answer would be too large. Ask for a smaller page, or read the lists in "
        "it by themselves, in pages."
    )
    return JSONResponse({"detail": detail}, 400)
