"""Middleware of the tutorial's page has the guarantees of the dependency."""

import asyncio
import threading
from contextvars import Context

import pytest
from fastapi import Depends, FastAPI, HTTPException

from docs.middleware_app import DatabaseMiddleware
from peewee_app.fastapi_peewee import Pool, add_database_error_handlers, run
from peewee_app.web.body_limit import BodyLimitMiddleware

from ..engines import on
from ..fastapi_peewee.conftest import MakePool, make_pool, notes_pool
from ..fastapi_peewee.notes import (
    add,
    check_that_slow_clients_hold_no_connection,
    client_of,
    count,
    db,
)

__all__ = ["make_pool", "notes_pool"]
pytestmark = [pytest.mark.anyio, on("sqlite")]


def make_app(pool: Pool) -> FastAPI:
    app = FastAPI()
    add_database_error_handlers(app)
    app.add_middleware(DatabaseMiddleware, pool=pool)
    app.add_middleware(BodyLimitMiddleware, limit=1000)
    app.get("/")(count)
    return app


async def test_one_request_one_connection(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    app = make_app(pool)
    together = threading.Barrier(2, timeout=5)

    def connection() -> int:
        return id(db.connection())

    async def dependency() -> int:
        async with pool.request():
            return await run(connection)

    @app.get("/both")
    def endpoint(before: int = Depends(dependency)) -> tuple[int, int]:
        together.wait()
        return before, connection()

    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get("/both") for _ in range(2)))
    (a, b), (c, d) = [answer.json() for answer in answers]
    assert a == b != c == d


async def test_every_exit_rolls_back_and_returns_the_connection(
    notes_pool: Pool,
) -> None:
    app = make_app(notes_pool)

    @app.get("/raise")
    def raise_error() -> None:
        db.begin()
        add("lost")
        raise RuntimeError

    @app.get("/http")
    def raise_http_error() -> None:
        db.begin()
        add("lost")
        raise HTTPException(418)

    async with client_of(app) as client:
        for path, status in (("/raise", 500), ("/http", 418), ("/none", 404)):
            assert (await client.get(path)).status_code == status
            assert (await client.get("/")).json() == 0


async def test_who_waits_too_long_gets_a_503(make_pool: MakePool) -> None:
    pool = make_pool(timeout=0.05)
    async with client_of(make_app(pool)) as client, pool.request():
        waiting = asyncio.create_task(client.get("/"), context=Context())
        response = await waiting
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


async def test_slow_clients_hold_no_connection(notes_pool: Pool) -> None:
    app = make_app(notes_pool)
    await check_that_slow_clients_hold_no_connection(app)
