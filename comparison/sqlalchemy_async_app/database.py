"""Engine, and the session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from ..sqlalchemy_app.database import with_driver
from ..sqlalchemy_tuned_app.database import with_pragmas


def make_engine(url: str) -> AsyncEngine:
    """Make the engine of a `sqlite:///` or `postgresql://` URL; connect later."""
    engine = create_async_engine(
        with_driver(url, sqlite="aiosqlite", postgresql="asyncpg")
    )
    with_pragmas(engine.sync_engine)
    return engine


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield the session of a request, closed after the response was sent."""
    sessions: async_sessionmaker[AsyncSession] = request.app.state.sessions
    async with sessions() as db:
        yield db


Db = Annotated[AsyncSession, Depends(get_db)]
