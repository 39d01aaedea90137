"""A start that fails with one line that says why."""

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
