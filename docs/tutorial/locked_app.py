"""App with a login: `uvicorn docs.tutorial.locked_app:app`."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from peewee import CharField, DateTimeField, ForeignKeyField, ModelSelect
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from peewee_app import crud, routes, schemas
from peewee_app.database import Db, db
from peewee_app.fastapi_peewee import PeeweeRoute, Pool, connector, run
from peewee_app.hashing import turns
from peewee_app.migrations import migrate
from peewee_app.models import BaseModel, User

HOURS = 12
hasher = PasswordHash((Argon2Hasher(),))
# Hash to verify for an unknown email: that takes as long.
NOBODY = hasher.hash(secrets.token_urlsafe())


class Token(BaseModel):
    """Token of a user; the database has only its digest."""

    digest = CharField(primary_key=True)
    user = ForeignKeyField(User, on_delete="CASCADE")
    expires = DateTimeField()

    class Meta:
        table_name = "tokens"


def digest(token: str) -> str:
    """Hash a token for the database: it is random and long, so fast is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def now() -> datetime:
    """Return UTC without zone, as the column has it."""
    return datetime.now(UTC).replace(tzinfo=None)


async def checked_user(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], request: Request
) -> User:
    """Return the password's user. Hold no connection while it is hashed."""
    pool: Pool = request.state.pool
    async with pool.request():
        user = await run(lambda: crud.get_user_by_email(form.username))
    stored = user.hashed_password if user else NOBODY
    right = await run_sync(hasher.verify, form.password, stored, limiter=turns)
    if user is None or not user.is_active or not right:
        raise HTTPException(400, "Incorrect username or password")
    return user


def current_user(
    token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], db: Db
) -> User:
    """Return the token's user."""
    valid = (Token.digest == digest(token)) & (Token.expires > now())
    users: ModelSelect[User] = User.select().join(Token).where(valid, User.is_active)
    user: User | None = users.first()
    if user is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "Not authenticated", headers)
    return user


door = APIRouter(route_class=PeeweeRoute)
door.post("/users/", response_model=schemas.User)(routes.create_user)


@door.post("/token")
def create_token(
    user: Annotated[User, Depends(checked_user)], db: Db
) -> dict[str, str]:
    """Make a token for a login."""
    token = secrets.token_urlsafe(32)
    expires = now() + timedelta(hours=HOURS)
    Token.create(digest=digest(token), user=user, expires=expires)
    return {"access_token": token, "token_type": "bearer"}


@door.get("/users/me", response_model=schemas.User)
def read_me(user: Annotated[User, Depends(current_user)], db: Db) -> User:
    """Read your user."""
    return user


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Pool]]:
    """Make the tables and the pool."""
    connect = connector("sqlite:///./sql_app.db")
    await run_sync(migrate, connect)
    pool = Pool(db, connect, size=1, timeout=10)
    async with pool.request():
        await run(lambda: db.create_tables([Token]))
    yield {"pool": pool}
    await run_sync(pool.close)


app = FastAPI(lifespan=lifespan)
app.include_router(door)
# Everything else needs a token.
for router in routes.routers:
    app.include_router(router, dependencies=[Depends(current_user)])
