"""Turns at hashing passwords, which is slow on purpose."""

import os
from typing import Annotated

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from argon2.exceptions import HashingError
from fastapi import Depends, HTTPException, Request

from . import schemas
from .fastapi_peewee import Pool
from .web.errors import unavailable

# Hashing keeps a core busy and takes 64 MiB, so more at once would only cost memory.
turns = CapacityLimiter(os.cpu_count() or 1)


async def with_hashed_password(
    user: schemas.UserCreate, request: Request
) -> schemas.UserCreate:
    """The user to create, hashed on a worker thread, while no connection is held.

    Raises HTTPException 503 if that does not begin within the pool's timeout, and 499,
    which nobody reads, if the client has gone by then: it is not worth a hash.
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
        await run_sync(lambda: user.hashed_password)
    except (MemoryError, HashingError):
        raise unavailable("There is no memory to hash a password.") from None
    finally:
        turns.release_on_behalf_of(request)
    return user


async def with_changed_password(
    user: schemas.UserUpdate, request: Request
) -> schemas.UserUpdate:
    """What to change of a user; a new password is hashed as that of a new user is."""
    if "password" in user.model_fields_set:
        await with_hashed_password(user, request)
    return user


HashedUser = Annotated[schemas.UserCreate, Depends(with_hashed_password)]
ChangedUser = Annotated[schemas.UserUpdate, Depends(with_changed_password)]
