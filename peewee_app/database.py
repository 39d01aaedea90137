"""Database, and the connection of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from .fastapi_peewee import ContextDatabase, Pool

# Models bind to it. It stands for the connection of the current request.
db = ContextDatabase()


async def get_db(request: Request) -> AsyncIterator[ContextDatabase]:
    """Give a request its connection, as the tutorial's `get_db` gives it a session."""
    pool: Pool = request.state.pool
    async with pool.request() as db:
        yield db


# With this scope the connection is given back before the response is sent, and a client
# that reads slowly holds none.
Db = Annotated[ContextDatabase, Depends(get_db, scope="function")]
