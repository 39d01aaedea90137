"""Answers to requests that fail."""

import json
from typing import cast

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from .request_id import HEADER, request_id

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Error(BaseModel):
    """Why a request failed, in words."""

    detail: str


def unavailable(reason: str) -> HTTPException:
    """Return the 503 to raise for a passing reason, a sentence."""
    return HTTPException(503, f"{reason} Try again later.", {"Retry-After": "1"})


def response_to(exc: HTTPException) -> JSONResponse:
    """Return the response for a middleware, since no handler runs there."""
    return JSONResponse({"detail": exc.detail}, exc.status_code, exc.headers)


async def internal_server_error(_request: Request, _exc: Exception) -> JSONResponse:
    """Return 500; Starlette raises the exception again, and the server logs it."""
    # No middleware sees this response.
    headers = {HEADER: name} if (name := request_id.get()) else None
    return response_to(HTTPException(500, headers=headers))


async def validation_error(_request: Request, exc: Exception) -> Response:
    """Return 422 as FastAPI has it, but without an `input` that comes from the body.

    A body may hold a password, and also what JSON cannot carry back: a lone
    surrogate, for which the text is escaped to ASCII, or a NaN.
    """
    errors = cast(RequestValidationError, exc).errors()
    for error in errors:
        if error["loc"][0] == "body":
            del error["input"]
    content = json.dumps({"detail": jsonable_encoder(errors)})
    return Response(content, status_code=422, media_type="application/json")


async def method_not_allowed(request: Request, exc: Exception) -> JSONResponse:
    """Return 405 with all methods of the path in `Allow`.

    Starlette names those of one route. Its answer stays behind a mount, whose routes
    are not the app's; without one, StaticFiles refuses.
    """
    app: FastAPI = request.app
    headers = cast(HTTPException, exc).headers or {}

    def allowed(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    methods = ", ".join(filter(allowed, METHODS))
    allow = methods or headers.get("Allow", "GET, HEAD")
    return response_to(HTTPException(405, headers={"Allow": allow}))


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the app a JSON response that says what to do about it.

    The handlers are async: a sync one would wait for a worker thread.
    """
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(405, method_not_allowed)
    app.add_exception_handler(Exception, internal_server_error)
