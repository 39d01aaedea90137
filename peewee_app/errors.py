"""What a client is told when something goes wrong."""

import json
import logging
import sqlite3
import sys
from typing import cast

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from peewee import PeeweeException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .engines import one_line, why_unavailable
from .request_id import HEADER, request_id

logger = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# The handlers are async: a sync one waits for a worker thread, and when the database
# does not answer, all of them may be waiting for it.


def unavailable(exc: Exception) -> JSONResponse:
    """503, and the reason in the log."""
    logger.warning("503 Service Unavailable: %s", one_line(exc))
    return JSONResponse(
        {"detail": "The database is busy or unavailable. Try again later."},
        status_code=503,
        headers={"Retry-After": "1"},
    )


async def internal_server_error(_request: Request, _exc: Exception) -> JSONResponse:
    """500; Starlette raises the exception again, and the server logs its traceback."""
    # No middleware sees this response.
    headers = {HEADER: name} if (name := request_id.get()) else None
    return JSONResponse(
        {"detail": "Internal Server Error"}, status_code=500, headers=headers
    )


async def database_error(_request: Request, exc: Exception) -> JSONResponse:
    """503 if the database is busy, locked, full or gone; else the exception again."""
    if why_unavailable(exc):
        return unavailable(exc)
    raise exc


async def validation_error(_request: Request, exc: Exception) -> Response:
    """422 as FastAPI has it, but without the `input` where that comes from the body.

    A body may hold a password, and also what JSON cannot carry back: a lone
    surrogate, for which the text is escaped to ASCII, or a NaN.
    """
    errors = cast(RequestValidationError, exc).errors()
    for error in errors:
        if error["loc"][0] == "body":
            del error["input"]
    content = json.dumps({"detail": jsonable_encoder(errors)})
    return Response(content, status_code=422, media_type="application/json")


async def method_not_allowed(request: Request, _exc: Exception) -> JSONResponse:
    """405 with all methods of the path in `Allow`: Starlette's has one route's only."""
    app: FastAPI = request.app

    def allowed(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return JSONResponse(
        {"detail": "Method Not Allowed"},
        status_code=405,
        headers={"Allow": ", ".join(filter(allowed, METHODS))},
    )


class StartupError(Exception):
    """The app cannot start, for a reason that its message tells in one line."""


class StartupErrorMiddleware:
    """Make the server log a StartupError as its one line, without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; change the message of a failed start."""

        async def send_line(message: Message) -> None:
            exc = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(
                exc, StartupError
            ):
                message["message"] = str(exc)
            await send(message)

        await self.app(
            scope, receive, send_line if scope["type"] == "lifespan" else send
        )


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the app a JSON response that says what to do about it."""
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(PeeweeException, database_error)
    app.add_exception_handler(sqlite3.DatabaseError, database_error)
    app.add_exception_handler(405, method_not_allowed)
    app.add_exception_handler(Exception, internal_server_error)
    app.add_middleware(StartupErrorMiddleware)
