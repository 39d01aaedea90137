"""The queue of passwords to be hashed: it ends, and nobody who has left is in it."""

import asyncio
import json
import socket
from collections import Counter

import httpx2
import pytest

from harness.server import serve

from ..engines import on

pytestmark = on("sqlite")


def user(name: object) -> dict[str, str]:
    return {"email": f"{name}@example.com", "password": "chimichangas4life"}


def test_a_client_that_has_gone_costs_no_hash(url: str) -> None:
    with (
        serve(url, DATABASE_POOL_TIMEOUT="60") as server,
        httpx2.Client(base_url=server.base_url, timeout=60) as client,
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
        # Its turn comes when all of theirs have come.
        assert client.post("/users/", json=user("next")).status_code == 200
        assert len(client.get("/users/?limit=1000").json()) < 100
        log = server.stop()
    assert "Traceback" not in log


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
