"""Passwords: how they are hashed, and when."""

import asyncio
import threading
from contextvars import Context
from typing import Any

import httpx2
import pytest
from pwdlib import PasswordHash
from starlette.types import Receive, Scope, Send

from peewee_app import hashing
from peewee_app.database import db
from peewee_app.fastapi_peewee import NoConnectionError, Pool
from peewee_app.main import create_app
from peewee_app.models import User
from peewee_app.passwords import hash_password
from peewee_app.settings import Settings


def test_a_hash_is_salted_argon2_and_verifies() -> None:
    first, second = hash_password("chimichangas"), hash_password("chimichangas")
    assert first != second
    assert first.startswith("$argon2id$")
    assert PasswordHash.recommended().verify("chimichangas", first)
    assert not PasswordHash.recommended().verify("tacos", first)


@pytest.mark.anyio
async def test_hashed_on_a_worker_thread_while_the_request_holds_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = asyncio.Event()
    loop = asyncio.get_running_loop()
    observed: list[Any] = []

    def observe(password: str) -> str:
        observed.append(threading.current_thread() is threading.main_thread())
        with pytest.raises(NoConnectionError):
            db.connection()
        loop.call_soon_threadsafe(hashed.set)
        return hash_password(password)

    monkeypatch.setattr(hashing, "hash_password", observe)
    settings = {"database_url": url, "database_pool_size": 1}
    app = create_app(Settings.model_validate(settings))
    async with app.router.lifespan_context(app) as state:
        assert state

        async def started(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": state}, receive, send)

        pool: Pool = state["pool"]
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(started), base_url="http://app"
        )
        body = {"email": "a@example.com", "password": "chimichangas"}
        async with client:
            async with pool.request():  # The only slot is taken.
                posted = asyncio.create_task(
                    client.post("/users/", json=body), context=Context()
                )
                await asyncio.wait_for(hashed.wait(), 5)
            assert (await posted).status_code == 200
        assert observed == [False]
        with pool.connection():
            (user,) = User.select()
    assert PasswordHash.recommended().verify("chimichangas", user.hashed_password)
