from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from peewee_app.fastapi_peewee import MakeConnection, PeeweeRoute, Pool, connector

from . import notes

MakePool = Callable[..., Pool]


@pytest.fixture
def make_pool(url: str) -> Iterator[MakePool]:
    """Factory of pools on the test's new database, which has the table of notes."""
    connect_to = connector(url)
    with ExitStack() as stack:

        def make(
            connect: MakeConnection = connect_to, size: int = 1, timeout: float = 5
        ) -> Pool:
            pool = Pool(notes.db, connect, size=size, timeout=timeout)
            stack.callback(pool.close)
            return pool

        with make().connection() as db:
            db.create_tables([notes.Note])
        yield make


@pytest.fixture
def notes_pool(make_pool: MakePool) -> Pool:
    """Pool of one connection."""
    return make_pool()


@pytest.fixture(params=[APIRoute, PeeweeRoute])
def make_app(request: pytest.FixtureRequest) -> Callable[[Pool], FastAPI]:
    """Factory of apps with FastAPI's routes, and ours."""

    def make(pool: Pool) -> FastAPI:
        app = notes.make_app(pool)
        app.router.route_class = request.param
        return app

    return make
