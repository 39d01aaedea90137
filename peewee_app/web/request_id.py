"""Id of each request, in its answer and in every line of its log."""

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from starlette.types import Message, Receive, Scope, Send

from .middleware import HttpMiddleware

HEADER = "X-Request-ID"
# As servers pass it on.
RAW_HEADER = HEADER.lower().encode()
# Safe to write to a log as it is.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware(HttpMiddleware):
    """Give each request the id that its client sends as X-Request-ID, or a new one."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = dict(scope["headers"]).get(RAW_HEADER, b"")
        name = sent.decode() if SANE.fullmatch(sent) else secrets.token_hex(16)
        # It is not reset: the server logs an error when the app has returned.
        request_id.set(name)
        header = RAW_HEADER, name.encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self.app(scope, receive, send_with_id)


@contextmanager
def request_ids_in_logs() -> Iterator[None]:
    """Have the id of its request, in brackets, in each line that is logged meanwhile.

    The record also gets it as its attribute `request_id`: None outside a request.
    """
    make = logging.getLogRecordFactory()

    def make_with_id(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        if not hasattr(record, "request_id"):  # Else another app has added it.
            add_request_id(record)
        return record

    logging.setLogRecordFactory(make_with_id)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


def add_request_id(record: logging.LogRecord) -> None:
    """Add the id of the current request, if there is one, to its text."""
    name = record.request_id = request_id.get()
    mark = f"[{name}] " if name else ""
    if record.name == "uvicorn.access" and isinstance(record.args, tuple):
        # Its formatter takes only these arguments, no message. The first is what a
        # proxy says of the client, who may have said it to the proxy.
        client, *others = record.args
        record.args = (f"{quote(str(client), safe=':[]')} {mark}".rstrip(), *others)
    elif mark:
        record.msg = f"{mark}{record.msg}"
