"""Spans, a log of statements and Server-Timing, for the database's work.

Peewee's query hooks do all of it: they run after each statement, in the context of its
request. A connection gets a hook only if it is needed.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from time import time_ns

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, TracerProvider
from peewee import Database, QueryEvent
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from .middleware import HttpMiddleware

# The server's, which is shown.
logger = logging.getLogger("uvicorn.error")

QueryHook = Callable[[QueryEvent], None]


def span_hook(system: str, provider: TracerProvider | None = None) -> QueryHook | None:
    """Return a hook that makes a span of each statement under a recorded span.

    `system` is OpenTelemetry's name of the database. The span has the statement, but
    not its parameters. None if tracing is off; a provider is that of the process.
    """
    provider = provider or trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    tracer = provider.get_tracer(__name__)

    def make_span(event: QueryEvent) -> None:
        if not trace.get_current_span().is_recording():
            return
        end = time_ns()
        operation = event.sql.split(maxsplit=1)[0].upper()
        span = tracer.start_span(
            operation,
            kind=SpanKind.CLIENT,
            start_time=end - round(event.duration * 1e9),
            attributes={
                "db.system.name": system,
                "db.operation.name": operation,
                "db.query.text": event.sql,
            },
        )
        if event.exception:  # Its message may have values of the row.
            span.set_attribute("error.type", type(event.exception).__qualname__)
            span.set_status(StatusCode.ERROR)
        span.end(end)

    return make_span


# Seconds of each statement of a request.
_seconds: ContextVar[list[float] | None] = ContextVar("seconds", default=None)


def echo(event: QueryEvent) -> None:
    """Log a statement with its time, which is also kept for its request.

    It leaves the parameters out: a password's hash may be among them.
    """
    failed = f", {type(event.exception).__qualname__}" if event.exception else ""
    logger.info("%.2f ms%s: %s", event.duration * 1000, failed, event.sql)
    if (seconds := _seconds.get()) is not None:
        seconds.append(event.duration)


def watched(
    connect: Callable[[], Database],
    url: str,
    *,
    echo_sql: bool,
    provider: TracerProvider | None = None,
) -> Callable[[], Database]:
    """Return a function that makes a connection to `url`, with hooks.

    `connect` makes it without. `provider` is OpenTelemetry's; None is the process's.
    """
    scheme = url.partition(":")[0]
    system = "postgresql" if scheme == "postgres" else scheme

    def connect_watched() -> Database:
        database = connect()
        if spans := span_hook(system, provider):
            database.query_hooks.append(spans)
        if echo_sql:
            database.query_hooks.append(echo)
        return database

    return connect_watched


class ServerTimingMiddleware(HttpMiddleware):
    """Tell the browser the database's time: `db;dur=<ms>;desc="<n> queries"`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds: list[float] = []
        _seconds.set(seconds)

        async def send_with_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                queries = "1 query" if len(seconds) == 1 else f"{len(seconds)} queries"
                timing = f'db;dur={sum(seconds) * 1000:.2f};desc="{queries}"'
                MutableHeaders(scope=message)["Server-Timing"] = timing
            await send(message)

        await self.app(scope, receive, send_with_time)
