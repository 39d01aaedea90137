"""The application. `uvicorn peewee_app.main:app` serves it."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import parent_process
from typing import TypedDict

from anyio.to_thread import run_sync
from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from peewee import PeeweeException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from . import health
from .database import create_pool
from .document import INFO
from .fastapi_peewee import Pool, add_database_error_handlers, connector
from .fastapi_peewee.engines.errors import one_line
from .fastapi_peewee.engines.url import is_in_memory, without_password
from .migrations import migrate
from .routes import routers
from .settings import Settings, load_settings, misspelt
from .web.body_limit import BodyLimitMiddleware
from .web.errors import add_error_handlers
from .web.offline_docs import create_app_with_docs
from .web.request_id import RequestIdMiddleware
from .web.security_headers import SecurityHeadersMiddleware
from .web.shutdown import ShutdownMiddleware
from .web.startup import StartupError, StartupErrorMiddleware, until_signal
from .web.telemetry import QueryHook, ServerTimingMiddleware, query_hooks, show_echo

# The server's, which is shown.
logger = logging.getLogger("uvicorn.error")


IN_MEMORY = (
    "The database is in the memory of this process: each of several workers has one of "
    "its own, and a restart empties it. Name a file, or serve with one process."
)


class State(TypedDict):
    """What every request has in its `request.state`."""

    pool: Pool
    readiness: health.Readiness


def create_app(
    settings: Settings, tracer_provider: TracerProvider | None = None
) -> FastAPI:
    """The app on the database that the settings name. Nothing is opened before it
    starts; at its start it raises StartupError if the database cannot be opened, or
    is not up to date and may not be brought there.

    Its spans go to the tracer provider, or else to that of the process, if it has one.
    """
    url = settings.database_url.get_secret_value()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        connect = connector(url)
        try:
            await until_signal(
                lambda: migrate(connect, apply=settings.migrate_at_start)
            )
        except (PeeweeException, TypeError) as exc:  # TypeError: an unknown option.
            raise StartupError(f"DATABASE_URL: {one_line(exc)}") from exc

        def hooks() -> list[QueryHook]:
            echo_sql = settings.echo_sql
            return query_hooks(url, echo_sql=echo_sql, provider=tracer_provider)

        logger.info("Database: %s", without_password(url))
        if is_in_memory(url) and parent_process():
            logger.warning(IN_MEMORY)
        for name, setting in misspelt(os.environ):
            logger.warning("%s is not a setting: did you mean %s?", name, setting)
        pool = create_pool(connect, settings, hooks)
        readiness = health.Readiness(connect)
        yield {"pool": pool, "readiness": readiness}
        await run_sync(readiness.close)
        await run_sync(pool.close)

    app = create_app_with_docs(
        lifespan=lifespan, telemetry={"tracer_provider": tracer_provider}, **INFO
    )
    for router in (*routers, health.router):
        app.include_router(router)
    add_error_handlers(app)
    add_database_error_handlers(app)
    app.add_middleware(StartupErrorMiddleware)
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_size)
    app.add_middleware(ShutdownMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
    if settings.echo_sql:
        show_echo()
        app.add_middleware(ServerTimingMiddleware)
    if hosts := [host.strip() for host in settings.allowed_hosts.split(",") if host]:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.add_middleware(RequestIdMiddleware)
    return app


app = create_app(load_settings())
