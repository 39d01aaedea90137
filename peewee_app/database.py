"""The database: the pool of connections to it, and what a path operation depends on."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any

from fastapi import Depends, Request
from peewee import Database, QueryEvent

from .fastapi_peewee import ContextDatabase, MakeConnection, Pool
from .settings import Settings

# Models bind to it. It stands for the connection of the current request.
db = ContextDatabase()


def create_pool(
    connect: MakeConnection,
    settings: Settings,
    hooks: Callable[[], Iterable[Callable[[QueryEvent], Any]]],
) -> Pool:
    """As many connections as the settings say; none is opened yet.

    Each new one calls after each statement what `hooks` returns.
    """

    def connect_with_hooks() -> Database:
        database = connect()
        database.query_hooks.extend(hooks())
        return database

    size, timeout = settings.database_pool_size, settings.database_pool_timeout
    return Pool(db, connect_with_hooks, size=size, timeout=timeout)


async def get_db(request: Request) -> AsyncIterator[ContextDatabase]:
    """Give a request its connection, as the tutorial's `get_db` gives it a session."""
    pool: Pool = request.state.pool
    async with pool.request() as db:
        yield db


# With this scope the connection is given back before the response is sent, and a client
# that reads slowly holds none.
Db = Annotated[ContextDatabase, Depends(get_db, scope="function")]
