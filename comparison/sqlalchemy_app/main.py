"""The application. `uvicorn comparison.sqlalchemy_app.main:app` serves it.

From the environment come DATABASE_URL, and TUNED=1 for the tuned app.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from .database import make_engine, make_sessions
from .models import create_tables
from .routes import router


def create_app(url: str, *, tuned: bool = False) -> FastAPI:
    """The app on the database at `url`, which is opened when the app starts."""
    engine = make_engine(url, tuned=tuned)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        create_tables(engine, tuned=tuned)
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = make_sessions(engine, tuned=tuned)
    app.include_router(router)
    return app


app = create_app(
    os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"),
    tuned=os.environ.get("TUNED") == "1",
)
