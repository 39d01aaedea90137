"""What a client is told when the database cannot answer."""

import logging
import sqlite3

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from peewee import PeeweeException

from .engines.errors import one_line, why_unavailable, without_values

logger = logging.getLogger(__name__)


def unavailable(exc: Exception) -> JSONResponse:
    """503, and the reason in the log."""
    logger.warning("503 Service Unavailable: %s", one_line(exc))
    return JSONResponse(
        {"detail": "The database is busy or unavailable. Try again later."},
        status_code=503,
        headers={"Retry-After": "1"},
    )


async def database_error(_request: Request, exc: Exception) -> JSONResponse:
    """503 if the database is busy, locked, full or gone; else the exception again.

    The server logs it, and no value of a row may be in its log.
    """
    reason = why_unavailable(exc)
    if isinstance(exc, PeeweeException):
        exc = without_values(exc)
    if reason:
        return unavailable(exc)
    raise exc


def add_database_error_handlers(app: FastAPI) -> None:
    """Make the app answer 503 where trying again later may help.

    The handler is async: a sync one waits for a worker thread, and when the database
    does not answer, all of them may be waiting for it.
    """
    app.add_exception_handler(PeeweeException, database_error)
    app.add_exception_handler(sqlite3.DatabaseError, database_error)
