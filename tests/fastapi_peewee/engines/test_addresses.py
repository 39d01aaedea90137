"""Addresses that are dead, and clocks that jump."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from peewee_app import health
from peewee_app.fastapi_peewee import Pool, connector
from peewee_app.fastapi_peewee.engines import mysql, postgresql
from peewee_app.migrations import migrate

from ...engines import on
from .notes import db, note_app

SERVERS = on("postgresql", "mariadb")


@pytest.fixture
def two_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL with a host of two addresses, the first of which is dead."""
    parts = urlsplit(url)
    dead, alive = ("127.0.0.2", parts.port), ("127.0.0.1", parts.port)
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        found = real(alive[0], *args, **options)
        if host != "database.example":
            return real(host, *args, **options)
        return [(*found[0][:4], dead), (*found[0][:4], alive)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for module in (mysql, postgresql):
        monkeypatch.setattr(module, "CONNECT_TIMEOUT", 2)
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(dead)
        listener.listen(0)
        for _ in range(3):  # They fill its queue; the kernel drops the rest.
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(dead)
        name = f"{parts.username}@database.example:{parts.port}"
        yield parts._replace(netloc=name).geturl()


@pytest.mark.slow  # It waits for time to pass.
@SERVERS
def test_a_name_with_a_dead_address_leads_to_the_one_that_answers(
    two_addresses: str,
) -> None:
    app, _ = note_app(two_addresses)
    start = time.monotonic()
    with TestClient(app) as client:
        assert client.post("/notes/?text=a").status_code == 200
        connected = time.monotonic()
        for _ in range(20):
            assert client.get("/notes/").json() == ["a"]
    # Each new connection waits for the dead address, and requests do not.
    assert connected - start > 2
    assert time.monotonic() - connected < 2


@pytest.mark.anyio
@pytest.mark.slow
@SERVERS
async def test_readiness_does_not_wait_for_a_dead_address(
    url: str, two_addresses: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "TRIAL_INTERVAL", 1)
    migrate(connector(url))
    pool = Pool(db, connector(two_addresses), size=1, timeout=1)
    readiness = health.Readiness(connector(two_addresses), pool)
    assert await readiness.why_not() == "timeout"  # It has no connection yet.
    await asyncio.sleep(3)
    for _ in range(3):
        assert await readiness.why_not() is None
        await asyncio.sleep(1.5)  # Another trial is due.
    readiness.close()


def test_a_clock_that_jumps_disturbs_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = note_app(url)
    real = time.time
    with TestClient(app) as client:
        for number, jump in enumerate((0, 3600, -86400, 86400 * 365, 0)):
            monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
            start = time.monotonic()
            assert client.post(f"/notes/?text={number}").status_code == 200
            assert len(client.get("/notes/").json()) == number + 1
            assert time.monotonic() - start < 5
