"""Id of each request, in its answer and in every line of its log."""

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
# As servers pass it on.
RAW_HEADER = HEADER.lower().encode()
# Safe to write to a log as it is.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware:
    """Give each request the id that its client sends as X-Request-ID, or a new one.

    While the app runs, each line of a request's log has its id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            with request_ids_in_logs():
                await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        sent = dict(scope["headers"]).get(RAW_HEADER, b"")
        name = sent.decode() if SANE.fullmatch(sent) else secrets.token_hex(16)
        # It is not reset: the server logs an error when the app has returned.
        request_id.set(name)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append(HEADER, name)
            await send(message)

        await self.app(scope, receive, send_with_id)


class RequestIdFilter(logging.Filter):
    """Filter of handlers that puts the id of its request, in brackets, into a record.

    The record also gets it as its attribute `request_id`: None outside a request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id, unless another handler has; let the record pass."""
        if hasattr(record, "request_id"):
            return True
        name = record.request_id = request_id.get()
        mark = f"[{name}] " if name else ""
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            # Its formatter takes only these arguments, no message. The first is what a
            # proxy says of the client, who may have said it to the proxy.
            client, *others = record.args
            record.args = (f"{quote(str(client), safe=':[]')} {mark}".rstrip(), *others)
        elif mark:
            record.msg = f"{mark}{record.msg}"
        return True


@contextmanager
def request_ids_in_logs() -> Iterator[None]:
    """Put a `RequestIdFilter` on each handler; remove it at the end."""
    names = logging.root.manager.loggerDict
    loggers = [logging.root, *map(logging.getLogger, names)]
    handlers = {handler for logger in loggers for handler in logger.handlers}
    if logging.lastResort:
        handlers.add(logging.lastResort)
    id_filter = RequestIdFilter()
    for handler in handlers:
        handler.addFilter(id_filter)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(id_filter)
