"""A name for each request, in its answer and in every line that is logged for it."""

import logging
import re
import uuid
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
# What a client may send can be written to a log as it is.
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware:
    """Give each request the id that its client sends as X-Request-ID, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        sent = Headers(scope=scope).get(HEADER, "")
        name = sent if SANE.fullmatch(sent) else uuid.uuid4().hex
        # It is not reset: the server logs an error when the app has returned.
        request_id.set(name)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        await self.app(scope, receive, send_with_id)


def add_request_id(record: logging.LogRecord) -> bool:
    """A filter for loggers that puts the id into the line, in brackets."""
    name = request_id.get()
    record.request_id = name
    if name and record.name == "uvicorn.access" and isinstance(record.args, tuple):
        # Its formatter takes no message, only these arguments.
        client, *others = record.args
        record.args = (f"{client} [{name}]", *others)
    elif name:
        record.msg = f"[{name}] {record.msg}"
    return True


# Of loggers that are above another in name, only the handlers see its records.
for logger in (
    "peewee_app.fastapi_peewee.responses",
    "peewee_app.fastapi_peewee.retry",
    "peewee_app.web.telemetry",
    "uvicorn.access",
    "uvicorn.error",
):
    logging.getLogger(logger).addFilter(add_request_id)
