"""Users behind the middleware: `uvicorn docs.middleware_app:app`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, PoolTimeoutError, connector
from peewee_app.fastapi_peewee.responses import unavailable
from peewee_app.migrations import migrate
from peewee_app.models import User
from peewee_app.passwords import hash_password
from peewee_app.web.body_limit import BodyLimitMiddleware


class DatabaseMiddleware:
    """Middleware that gives every request a scope, as `get_db` does.

    Each request waits for a slot, also one that asks nothing of the database. The scope
    ends when the response starts, so a slow reader does not hold it. A plain ASGI
    middleware: what a path operation sets would not come back through Starlette's
    BaseHTTPMiddleware, which runs it in another task.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self.app = app
        self.pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.pool.request())
            except PoolTimeoutError as exc:
                await unavailable(exc)(scope, receive, send)
                return

            async def end_and_send(message: Message) -> None:
                await stack.aclose()
                await send(message)

            await self.app(scope, receive, end_and_send)


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
    """Count the users."""
    return User.select().count()
