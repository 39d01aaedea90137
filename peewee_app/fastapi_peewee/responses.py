"""Responses when the database cannot answer."""

import logging
import sqlite3
from typing import Any

from fastapi import FastAPI, WebSocket, status
from fastapi.responses import JSONResponse
from peewee import PeeweeException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from .engines.errors import one_line, why_unavailable, without_values
from .pool import idling
from .scope import set_to
from .size_limit import TooLargeError, too_large

logger = logging.getLogger(__name__)


DETAIL = "The database is busy or unavailable. Try again later."


def unavailable(exc: Exception) -> JSONResponse:
    """Return a 503, and log the reason."""
    logger.warning("503 Service Unavailable: %s", one_line(exc))
    return JSONResponse({"detail": DETAIL}, 503, headers={"Retry-After": "1"})


async def database_error(connection: HTTPConnection, exc: Exception) -> Any:
    """Return a 503 if the database is busy, locked, full or gone; else raise the error.

    The server logs the error, without values of a row. A WebSocket is closed.
    """
    reason = why_unavailable(exc)
    if isinstance(exc, PeeweeException):
        exc = without_values(exc)
    if not reason:
        raise exc
    if isinstance(connection, WebSocket):
        logger.warning("WebSocket closed: %s", one_line(exc))
        await connection.close(status.WS_1013_TRY_AGAIN_LATER, DETAIL)
        return None
    return unavailable(exc)


class WebSocketMiddleware:
    """Let no WebSocket hold a connection while its client idles."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        with set_to(idling, ()):
            await self.app(scope, receive, send)


def add_database_error_handlers(app: FastAPI) -> None:
    """Make the app answer 503 where trying again later may help.

    There, a WebSocket is closed with code 1013. It takes a slot for each `run`, not
    for its life. The handler is async: a sync one needs a worker thread, and all of
    those may be waiting for the database.
    """
    app.add_middleware(WebSocketMiddleware)
    app.add_exception_handler(PeeweeException, database_error)
    app.add_exception_handler(sqlite3.DatabaseError, database_error)
    app.add_exception_handler(TooLargeError, too_large)
