"""Errors at the start, in one line."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StartupError(Exception):
    """Error that stops the start; its message is the reason."""


async def until_signal(function: Callable[[], object]) -> None:
    """Run a slow step of the start on a thread of its own.

    Raises StartupError on a SIGTERM or SIGINT, which the server would handle only after
    the start. The thread, which may wait for a lock, ends with the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(exc: BaseException | None) -> None:
        if not done.done():
            done.set_exception(exc) if exc else done.set_result(None)

    def work() -> None:
        try:
            function()
        except BaseException as exc:
            error: BaseException | None = exc
        else:
            error = None
        with suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(finish, error)

    def stop(number: int, frame: FrameType | None) -> None:
        error = StartupError("The start was stopped by a signal.")
        loop.call_soon_threadsafe(finish, error)
        if callable(before := handlers[signal.Signals(number)]):
            before(number, frame)

    handlers: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for signum in (signal.SIGTERM, signal.SIGINT):
            handlers[signum] = signal.signal(signum, stop)
    try:
        threading.Thread(target=work, daemon=True).start()
        await done
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


class StartupErrorMiddleware:
    """Make the server log a StartupError as its one line, without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; change the message of a failed start."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_line(message: Message) -> None:
            exc = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(
                exc, StartupError
            ):
                message["message"] = " ".join(str(exc).split())
            await send(message)

        await self.app(scope, receive, send_line)
