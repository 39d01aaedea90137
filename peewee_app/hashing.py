"""Turns at hashing passwords, which is slow on purpose."""

import os
from typing import Annotated, Any

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from fastapi import Depends, HTTPException, Request

from . import schemas
from .fastapi_peewee import Pool
from .passwords import hash_password

# A hash keeps a core busy and takes 64 MiB, so more at once would only cost memory.
turns = CapacityLimiter(os.cpu_count() or 1)


async def hash_in_turn(password: str, request: Request) -> str:
    """Hash a password on a worker thread.

    Raises HTTPException 503 if that does not begin within the pool's timeout, and 499,
    an answer to nobody, if the client has gone by then.
    """
    pool: Pool = request.state.pool
    try:
        with fail_after(pool.timeout):
            await turns.acquire_on_behalf_of(request)
    except TimeoutError:
        raise HTTPException(
            503,
            "Too many passwords wait to be hashed. Try again later.",
            headers={"Retry-After": "1"},
        ) from None
    try:
        if await request.is_disconnected():
            raise HTTPException(499, "Client Closed Request")
        return await run_sync(hash_password, password)
    finally:
        turns.release_on_behalf_of(request)


async def hash_user(user: schemas.UserCreate, request: Request) -> schemas.UserInDB:
    """Return the user to store."""
    hashed_password = await hash_in_turn(user.password, request)
    return schemas.UserInDB(email=user.email, hashed_password=hashed_password)


async def hash_changes(user: schemas.UserUpdate, request: Request) -> dict[str, Any]:
    """Return the columns to change, by name."""
    changes = user.model_dump()
    if password := changes.pop("password", None):
        changes["hashed_password"] = await hash_in_turn(password, request)
    return changes


# They hash before the path operation takes a connection.
HashedUser = Annotated[schemas.UserInDB, Depends(hash_user)]
HashedChanges = Annotated[dict[str, Any], Depends(hash_changes)]
