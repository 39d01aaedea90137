"""Application. `uvicorn comparison.sqlalchemy_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.orm import sessionmaker

from .database import Base, make_engine
from .routes import router


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    engine = make_engine(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        Base.metadata.create_all(engine)
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = sessionmaker(engine)
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
