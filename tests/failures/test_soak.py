"""Memory after many requests, where a leak would show.

`pytest -m slow -rP tests/failures/test_soak.py` prints the figures.
"""

import asyncio
import gc
import itertools
import json
from collections import Counter
from typing import Any

import psutil
import pytest
from fastapi import FastAPI

from peewee_app import health

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# Requests; a leak of 350 bytes each would show after a quarter of them.
REQUESTS = {"sqlite": 100_000, "postgresql": 30_000, "mariadb": 30_000}
# Requests before memory is measured: caches and pools fill with the first ones.
WARM_UP = 10_000
CLIENTS = 8
# Bytes that the allocator may grow by, for all requests.
TOLERANCE = 6 * 1024 * 1024

# One of 20 requests writes. A later one deletes its row again.
READS = [
    *(("GET", f"/users/{number}") for number in range(1, 9)),
    *(("GET", "/items/?limit=10"), ("GET", "/items/?skip=3&limit=5")),
    *(("GET", "/users/?limit=3"), ("GET", "/users/1/items/?limit=10")),
    *(("GET", "/items/1"), ("GET", "/users/999999"), ("GET", "/items/999999")),
    *(("GET", "/items/?limit=-1"), ("GET", "/users/x"), ("GET", "/health")),
    ("GET", "/health/ready"),
]


async def ask(
    app: FastAPI, state: dict[str, Any], method: str, path: str, body: object = None
) -> tuple[int, bytes]:
    """Ask the app as a server does, without a socket."""
    path, _, query = path.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    headers = [(b"host", b"testserver")]
    if content:
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "state": dict(state),
    }
    status, answer = 0, b""

    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, answer
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            answer += message.get("body", b"")

    await app(scope, receive, send)
    return status, answer


def memory() -> int:
    gc.collect()
    rss: int = psutil.Process().memory_info().rss
    return rss


async def test_memory_stays_flat(
    app: FastAPI, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DEADLINE", 60)  # Others keep the machine busy.
    count = REQUESTS[engine]
    statuses: Counter[int] = Counter()
    async with app.router.lifespan_context(app) as state:

        async def request(method: str, path: str, body: object = None) -> Any:
            status, answer = await ask(app, dict(state or {}), method, path, body)
            statuses[status] += 1
            assert status < 500, (method, path, answer)
            return answer

        async def client(number: int, requests: int) -> None:
            reads = itertools.cycle(READS[number:] + READS[:number])
            for turn in range(requests):
                if turn % 80 == 0:
                    answer = await request("POST", "/users/1/items/", {"title": "a"})
                    item = f"/items/{json.loads(answer)['id']}"
                elif turn % 80 == 20:
                    await request("PATCH", item, {"title": "b"})
                elif turn % 80 == 40:
                    await request("DELETE", item)
                elif turn % 80 == 60:
                    await request("POST", "/users/1/items/", {"title": None})
                else:
                    await request(*next(reads))

        async def many(requests: int) -> tuple[int, int]:
            async with asyncio.TaskGroup() as tasks:
                for number in range(CLIENTS):
                    tasks.create_task(client(number, requests // CLIENTS))
            return memory(), len(gc.get_objects())

        for number in range(8):
            user = {"email": f"{number}@example.com", "password": "x"}
            await request("POST", "/users/", user)
            await request("POST", f"/users/{number + 1}/items/", {"title": "kept"})
        before, objects = await many(WARM_UP)
        after, objects_after = await many(count)
    grown, more = after - before, objects_after - objects
    print(
        f"{before / 2**20:.1f} MiB before, {grown / count:.1f} bytes and "
        f"{more / count:.4f} objects more for a request, {dict(statuses)}"
    )
    assert statuses[200] > count / 2
    assert grown < TOLERANCE
    assert more < count / 100
