"""Answers to requests that a stop cancels."""

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from .errors import response_to, unavailable
from .middleware import HttpMiddleware


class ShutdownMiddleware(HttpMiddleware):
    """Answer 503 to a request that the server cancels when it stops.

    The server itself would answer 500 in plain text, and log a traceback.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            response = response_to(unavailable("The server is stopping."))
            with suppress(RuntimeError):  # The answer has begun already.
                await response(scope, receive, send)
