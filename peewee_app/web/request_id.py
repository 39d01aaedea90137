"""A name for each request, in its answer and in every line that is logged for it."""

import logging
import re
import secrets
from contextvars import ContextVar
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
# As the server passes it on.
RAW_HEADER = HEADER.lower().encode()
# What a client may send can be written to a log as it is.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware:
    """Give each request the id that its client sends as X-Request-ID, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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


_make_record = logging.getLogRecordFactory()


def make_record(*args: Any, **options: Any) -> logging.LogRecord:
    """A record of any logger, with the id of its request in brackets."""
    record = _make_record(*args, **options)
    name = request_id.get()
    record.request_id = name
    if name and record.name == "uvicorn.access" and isinstance(record.args, tuple):
        # Its formatter takes no message, only these arguments.
        client, *others = record.args
        record.args = (f"{client} [{name}]", *others)
    elif name:
        record.msg = f"[{name}] {record.msg}"
    return record


logging.setLogRecordFactory(make_record)
