"""Users behind the middleware: `uvicorn docs.tutorial.middleware_app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from fastapi import FastAPI

from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import DatabaseMiddleware, Pool, connector
from peewee_app.migrations import migrate
from peewee_app.models import User
from peewee_app.passwords import hash_password
from peewee_app.web.body_limit import BodyLimitMiddleware

connect = connector("sqlite:///./sql_app.db")
pool = Pool(db, connect, size=1, timeout=10)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Bring the tables up to date at the start, and close the pool at the end."""
    await run_sync(migrate, connect)
    yield
    await run_sync(pool.close)


app = FastAPI(lifespan=lifespan)
app.add_middleware(DatabaseMiddleware, pool=pool)
app.add_middleware(BodyLimitMiddleware, limit=1_000_000)


@app.post("/users/", response_model=schemas.User)
def create_user(user: schemas.UserCreate) -> User:
    """Create a user, on the connection of the middleware."""
    hashed_password = hash_password(user.password)
    return crud.create_user(
        schemas.UserInDB(email=user.email, hashed_password=hashed_password)
    )


@app.get("/users/count")
def count_users() -> int:
    """How many users there are."""
    return User.select().count()
