"""Application; `uvicorn peewee_app.main:app` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TypedDict

from anyio.to_thread import run_sync
from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from peewee import PeeweeException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from . import health
from .database import db
from .document import INFO
from .fastapi_peewee import Pool, add_database_error_handlers, connector
from .migrations import migrate
from .routes import routers
from .settings import Settings, load_settings, log_settings
from .web.answer_limit import AnswerLimitMiddleware
from .web.body_limit import BodyLimitMiddleware
from .web.errors import add_error_handlers
from .web.offline_docs import create_app_with_docs
from .web.request_id import RequestIdMiddleware, request_ids_in_logs
from .web.security_headers import SecurityHeadersMiddleware
from .web.shutdown import ShutdownMiddleware
from .web.startup import StartupError, StartupErrorMiddleware, ended_by_signals
from .web.telemetry import ServerTimingMiddleware, watched


class State(TypedDict):
    """Objects that every request has in its `request.state`."""

    pool: Pool
    readiness: health.Readiness


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    """Open the database at the start of the app, and close it at the end.

    Raises StartupError if the database cannot be opened, or is not up to date and must
    not be migrated.
    """
    settings: Settings = app.state.settings
    url = settings.database_url.get_secret_value()
    connect = connector(url)
    try:
        with ended_by_signals():
            await run_sync(partial(migrate, connect, apply=settings.migrate_at_start))
    except (PeeweeException, TypeError) as exc:  # TypeError: an unknown option.
        raise StartupError(f"DATABASE_URL: {exc}") from exc
    log_settings(settings)
    size, timeout = settings.database_pool_size, settings.database_pool_timeout
    provider = app.state.tracer_provider
    watch = watched(connect, url, echo_sql=settings.echo_sql, provider=provider)
    pool = Pool(db, watch, size=size, timeout=timeout)
    readiness = health.Readiness(connect, pool)
    with request_ids_in_logs():
        yield {"pool": pool, "readiness": readiness}
    await run_sync(readiness.close)
    await run_sync(pool.close)


def create_app(
    settings: Settings, tracer_provider: TracerProvider | None = None
) -> FastAPI:
    """Make the app on the database that the settings name; nothing is opened yet.

    Its spans go to the tracer provider, or to the process's, if it has one.
    """
    telemetry = {"tracer_provider": tracer_provider}
    app = create_app_with_docs(
        *routers, health.router, lifespan=lifespan, telemetry=telemetry, **INFO
    )
    app.state.settings = settings
    app.state.tracer_provider = tracer_provider
    add_error_handlers(app)
    add_database_error_handlers(app)
    # The last one added sees a request first.
    app.add_middleware(StartupErrorMiddleware)
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_size)
    app.add_middleware(ShutdownMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(AnswerLimitMiddleware)
    if settings.echo_sql:
        app.add_middleware(ServerTimingMiddleware)
    if settings.allowed_hosts:
        hosts = settings.allowed_hosts
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.add_middleware(RequestIdMiddleware)
    return app


app = create_app(load_settings())
