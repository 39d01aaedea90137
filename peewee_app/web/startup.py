"""Errors and signals at the start, each in one line of the log."""

import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The server's, which is shown.
logger = logging.getLogger("uvicorn.error")


class StartupError(Exception):
    """Error that stops the start; its message is the reason."""


class StartupErrorMiddleware:
    """Make the server log a StartupError as its one line, without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass everything on; change the message of a failed start."""
        if scope["type"] != "lifespan":
            return self.app(scope, receive, send)

        async def send_line(message: Message) -> None:
            exc = sys.exception()
            is_failure = message["type"] == "lifespan.startup.failed"
            if is_failure and isinstance(exc, StartupError):
                message["message"] = " ".join(str(exc).split())
            await send(message)

        return self.app(scope, receive, send_line)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let a SIGTERM or SIGINT end the process at once.

    A server would handle it after the start only, which may wait for a lock.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        logger.error("The start was stopped by a signal.")
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for signum in (signal.SIGTERM, signal.SIGINT):
            handlers[signum] = signal.signal(signum, end)
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
