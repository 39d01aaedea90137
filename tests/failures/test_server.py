"""Many clients at once, against a real server on a real socket."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from harness.server import Server, serve
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect
from peewee_app.models import Item

from ..engines import on

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    # A hundred passwords take a busy machine longer than the usual ten seconds.
    with serve(url, "--no-access-log", DATABASE_POOL_TIMEOUT="120") as server:
        yield server


@pytest.fixture
async def client(server: Server) -> Any:
    async with httpx2.AsyncClient(
        base_url=server.base_url,
        timeout=60,
        limits=httpx2.Limits(max_connections=None),
    ) as client:
        yield client


def user(name: object) -> dict[str, str]:
    return {"email": f"{name}@example.com", "password": "chimichangas4life"}


@pytest.mark.slow
async def test_200_clients_for_10_seconds_without_a_failed_request(
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.post("/users/", json=user(1))).status_code == 200
    end = time.monotonic() + 10
    statuses: Counter[int] = Counter()

    async def work(number: int) -> None:
        requests = [
            ("GET", "/users/1", None),
            ("POST", "/users/1/items/", {"title": str(number)}),
            ("GET", "/items/?limit=10", None),
            ("GET", "/users/?limit=10", None),
        ]
        while time.monotonic() < end:
            for method, path, body in requests:
                response = await client.request(method, path, json=body)
                statuses[response.status_code] += 1

    await asyncio.gather(*(work(number) for number in range(200)))
    assert statuses.keys() == {200}
    assert statuses[200] > 200


@pytest.mark.slow
async def test_100_posts_of_one_email_at_once(client: httpx2.AsyncClient) -> None:
    responses = await asyncio.gather(
        *(client.post("/users/", json=user("same")) for _ in range(100))
    )
    assert Counter(response.status_code for response in responses) == {200: 1, 400: 99}
    assert len((await client.get("/users/")).json()) == 1


@on("sqlite", slow=["postgresql", "mariadb"])
async def test_clients_that_never_read_keep_nobody_waiting(
    client: httpx2.AsyncClient, server: Server, url: str
) -> None:
    assert (await client.post("/users/", json=user(1))).status_code == 200
    row = {"title": "a" * 255, "description": "b" * 255, "owner": 1}
    with connect(db, url, may_block=True):
        Item.insert_many([row] * 1000).execute()
    request = b"GET /items/?limit=1000 HTTP/1.1\r\nHost: app\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(50):
            silent = stack.enter_context(socket.socket())
            # Far smaller than the answer, so that the server has to wait.
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.connect(("127.0.0.1", server.port))
            silent.sendall(request)
            silent.recv(1)
        start = time.monotonic()
        assert (await client.get("/users/1")).status_code == 200
        assert time.monotonic() - start < 1


@on("sqlite", slow=["postgresql", "mariadb"])
async def test_kill_9_loses_no_acknowledged_row(
    client: httpx2.AsyncClient, server: Server, url: str
) -> None:
    assert (await client.post("/users/", json=user(1))).status_code == 200
    acknowledged: list[dict[str, Any]] = []
    enough = asyncio.Event()

    async def post(number: int) -> None:
        for count in range(10_000):
            body = {"title": f"{number}-{count}"}
            try:
                response = await client.post("/users/1/items/", json=body)
            except httpx2.TransportError:
                return
            assert response.status_code == 200
            acknowledged.append(response.json())
            if len(acknowledged) == 100:
                enough.set()

    posts = asyncio.gather(*(post(number) for number in range(10)))
    await asyncio.wait_for(enough.wait(), 60)
    server.process.kill()
    await posts
    assert len(acknowledged) >= 100

    stored: list[dict[str, Any]] = []
    with (
        serve(url) as again,
        httpx2.Client(base_url=again.base_url, timeout=60) as reader,
    ):
        while page := reader.get(
            "/items/", params={"limit": 1000, "skip": len(stored)}
        ).json():
            stored += page
    titles = Counter(item["title"] for item in stored)
    assert max(titles.values()) == 1
    assert {item["id"] for item in acknowledged} <= {item["id"] for item in stored}
    assert {item["title"] for item in acknowledged} <= titles.keys()
