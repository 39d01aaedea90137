"""Answers to requests that a stop cancels."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import response_to, unavailable


class ShutdownMiddleware:
    """Answer 503 to a request that the server cancels when it stops.

    The server itself would answer 500 in plain text, and log a traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            response = response_to(unavailable("The server is stopping."))
            with suppress(RuntimeError):  # The answer has begun already.
                await response(scope, receive, send)
