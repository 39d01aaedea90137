"""Hashing: its thread, and its queue, which is finite and drops clients that left."""

import asyncio
import json
import socket
import threading
from collections import Counter
from contextvars import Context
from typing import Any

import httpx2
import pytest
from argon2.exceptions import HashingError
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from starlette.types import Receive, Scope, Send

from harness.server import serve
from peewee_app import hashing
from peewee_app.database import db
from peewee_app.fastapi_peewee import NoConnectionError, Pool, run
from peewee_app.models import User
from peewee_app.passwords import hash_password

from ..engines import on
from ..factories import create_app


def user(name: object) -> dict[str, str]:
    return {"email": f"{name}@example.com", "password": "chimichangas4life"}


@on("sqlite")
def test_a_client_that_has_gone_costs_no_hash(url: str) -> None:
    with (
        serve(url, DATABASE_POOL_TIMEOUT="60") as server,
        server.client() as client,
    ):
        assert client.get("/health").status_code == 200
        for number in range(200):
            body = json.dumps(user(number)).encode()
            with socket.create_connection(("127.0.0.1", server.port)) as gone:
                gone.sendall(
                    b"POST /users/ HTTP/1.1\r\nHost: app\r\n"
                    b"Content-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                )
        # It is hashed after all of theirs.
        assert client.post("/users/", json=user("next")).status_code == 200
        assert len(client.get("/users/?limit=1000").json()) < 100
        log = server.stop()
    assert "Traceback" not in log


@on("sqlite")
@pytest.mark.anyio
async def test_who_waits_too_long_is_told_to_come_again(url: str) -> None:
    limits = httpx2.Limits(max_connections=None)
    with serve(url, DATABASE_POOL_TIMEOUT="0.5") as server:
        async with httpx2.AsyncClient(
            base_url=server.base_url, timeout=60, limits=limits
        ) as client:
            assert (await client.get("/health")).status_code == 200
            responses = await asyncio.gather(
                *(client.post("/users/", json=user(n)) for n in range(200))
            )
            statuses = Counter(response.status_code for response in responses)
            assert statuses.keys() == {200, 503}
            for response in responses:
                if response.status_code == 503:
                    assert int(response.headers["Retry-After"]) > 0
                    assert "Try again" in response.json()["detail"]
            users = (await client.get("/users/?limit=1000")).json()
            assert len(users) == statuses[200]


@on("sqlite")
@pytest.mark.parametrize("error", [MemoryError, HashingError])
def test_no_memory_for_a_hash_is_a_503(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(_password: str) -> str:
        raise error("Memory allocation error")

    monkeypatch.setattr(hashing, "hash_password", fail)
    for response in (client.post("/users/", json=user(1)) for _ in range(2)):
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "Try again" in response.json()["detail"]


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
    app = create_app(url, database_pool_size=1)
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
        async with pool.request():
            user = await run(User.get)
    assert PasswordHash.recommended().verify("chimichangas", user.hashed_password)
