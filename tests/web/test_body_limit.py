"""Limits on request bodies: in bytes, in time, and on all together."""

import asyncio
import tracemalloc

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from peewee_app.web.body_limit import BodyLimitMiddleware

MEBIBYTE = 1024 * 1024


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(BodyLimitMiddleware, limit=10)

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413)])
@pytest.mark.parametrize("chunk", [1, 100])
def test_limit(client: TestClient, size: int, status: int, chunk: int) -> None:
    body = b"a" * size
    chunks = (body[i : i + chunk] for i in range(0, size, chunk))
    response = client.post("/", content=chunks)
    assert response.status_code == status
    if status == 200:
        assert response.json() == size
    else:
        assert response.json() == {"detail": "The request body is over 10 bytes long."}


class Client:
    """A client of an ASGI app that sends its body bit by bit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        headers = [(b"transfer-encoding", b"chunked")]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        self.answered = asyncio.create_task(self._run(scope))

    async def _run(self, scope: Scope) -> int | None:
        await self.app(scope, self.messages.get, self._on_answer)
        return self.status

    async def _on_answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])

    async def send(self, body: bytes, *, more_body: bool = True) -> None:
        message = {"type": "http.request", "body": body, "more_body": more_body}
        self.messages.put_nowait(message)
        for _ in range(5):  # The app has its turn.
            await asyncio.sleep(0)


async def answer_200(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


@pytest.mark.anyio
async def test_a_body_has_a_time_to_arrive_in() -> None:
    client = Client(BodyLimitMiddleware(answer_200, limit=10, timeout=0.1))
    await client.send(b"a")
    assert await asyncio.wait_for(client.answered, 10) == 408
    assert client.headers[b"connection"] == b"close"


@pytest.mark.anyio
async def test_a_body_of_single_bytes_costs_no_more_than_another() -> None:
    client = Client(BodyLimitMiddleware(answer_200, limit=MEBIBYTE))
    tracemalloc.start()
    try:
        for _ in range(20_000):
            await client.send(b"a")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20_000 * 10
    await client.send(b"", more_body=False)
    assert await client.answered == 200


@pytest.mark.anyio
async def test_all_bodies_together_have_a_limit() -> None:
    app = BodyLimitMiddleware(answer_200, limit=MEBIBYTE)
    half = b"a" * (MEBIBYTE // 2)
    clients = [Client(app) for _ in range(200)]
    for client in clients:
        await client.send(half)
    refused = [client for client in clients if client.answered.done()]
    # 64 of the longest bodies, or a few more, since small ones do not count.
    assert 200 - 160 < len(refused) < 200 - 120
    for client in refused:
        assert await client.answered == 503
        assert int(client.headers[b"retry-after"]) > 0

    small = Client(app)
    await small.send(b"a" * 1000, more_body=False)
    assert await small.answered == 200

    gone, *others = [client for client in clients if client not in refused]
    gone.messages.put_nowait({"type": "http.disconnect"})
    assert await gone.answered is None
    for client in others:
        await client.send(b"", more_body=False)
        assert await client.answered == 200
    for client in [Client(app) for _ in range(120)]:  # All memory is free again.
        await client.send(half)
        assert not client.answered.done()
        client.answered.cancel()
