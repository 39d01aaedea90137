"""Turns at hashing passwords, which is slow on purpose."""

import os
from typing import Annotated, Any

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from argon2.exceptions import HashingError
from fastapi import Depends, HTTPException, Request

from . import schemas
from .fastapi_peewee import Pool
from .passwords import hash_password
from .web.affinity import on_all_cores
from .web.errors import unavailable

# A hash keeps a core busy and takes 64 MiB, so more at once would only cost memory.
turns = CapacityLimiter(os.cpu_count() or 1)


async def hash_in_turn(password: str, request: Request) -> str:
    """Hash a password on a worker thread.

    Raises HTTPException 503 if that does not begin within the pool's timeout or there
    is no memory for it, and 499 if the client has closed the connection.
    """
    pool: Pool = request.state.pool
    try:
        with fail_after(pool.timeout):
            await turns.acquire_on_behalf_of(request)
    except TimeoutError:
        raise unavailable("Too many passwords wait to be hashed.") from None
    try:
        if await request.is_disconnected():
            raise HTTPException(499, "Client Closed Request")
        return await run_sync(hash_on_any_core, password)
    except (MemoryError, HashingError):
        raise unavailable("There is no memory to hash a password.") from None
    finally:
        turns.release_on_behalf_of(request)


def hash_on_any_core(password: str) -> str:
    """Hash a password on any core, since that needs no interpreter."""
    with on_all_cores():
        return hash_password(password)


async def hash_user(user: schemas.UserCreate, request: Request) -> schemas.UserInDB:
    """Return the user to store."""
    hashed_password = await hash_in_turn(user.password, request)
    return schemas.UserInDB(email=user.email, hashed_password=hashed_password)


async def hash_changes(user: schemas.UserUpdate, request: Request) -> dict[str, Any]:
    """Return the columns to change, by name."""
    changes = user.model_dump()
    if "password" in changes:
        password = changes.pop("password")
        changes["hashed_password"] = await hash_in_turn(password, request)
    return changes


# They hash before the path operation takes a connection.
HashedUser = Annotated[schemas.UserInDB, Depends(hash_user)]
HashedChanges = Annotated[dict[str, Any], Depends(hash_changes)]
