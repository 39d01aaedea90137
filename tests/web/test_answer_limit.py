"""Limit on answers that clients have not read."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from peewee_app.web.answer_limit import SMALL, AnswerLimitMiddleware

pytestmark = pytest.mark.anyio

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


async def nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


class Reader:
    """A client of an ASGI app that reads on demand."""

    def __init__(self, app: ASGIApp) -> None:
        self.reads = asyncio.Event()
        self.body = b""
        self.start: Message = {}
        self.begun = asyncio.Event()
        self.largest = 0
        self.answered = asyncio.create_task(self._ask(app))

    @property
    def status(self) -> int | None:
        return self.start.get("status")

    async def _ask(self, app: ASGIApp) -> None:
        await app(dict(SCOPE), nothing, self._receive)

    async def _receive(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            self.begun.set()
        else:
            self.largest = max(self.largest, len(message["body"]))
            self.body += message["body"]
            await self.reads.wait()

    async def read(self) -> bytes:
        self.reads.set()
        await asyncio.wait_for(self.answered, 10)
        return self.body


def answering(body: bytes) -> ASGIApp:
    return PlainTextResponse(body)


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1, 10 * SMALL])
async def test_an_answer_arrives_as_it_is(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"a" * (size % 256)
    reader = Reader(AnswerLimitMiddleware(answering(body)))
    assert await reader.read() == body
    assert reader.status == 200
    assert reader.largest <= SMALL


async def test_large_answers_that_nobody_reads_have_a_limit() -> None:
    app = AnswerLimitMiddleware(answering(b"a" * 5 * SMALL), limit=10 * SMALL)
    silent = [Reader(app) for _ in range(5)]
    for reader in silent:
        await reader.begun.wait()
    assert [reader.status for reader in silent] == [200, 200, 503, 503, 503]
    refused = silent[2]
    assert b"Try again" in await refused.read()
    assert dict(refused.start["headers"])[b"retry-after"] == b"1"

    app.app = answering(b"small")
    assert await Reader(app).read() == b"small"
    app.app = answering(b"a" * 5 * SMALL)

    assert len(await silent[0].read()) == 5 * SMALL
    silent[1].answered.cancel()
    await asyncio.sleep(0)
    for _ in range(3):  # All memory is free again.
        reader = Reader(app)
        assert len(await reader.read()) == 5 * SMALL


async def test_one_answer_goes_out_however_large_it_is() -> None:
    app = AnswerLimitMiddleware(answering(b"a" * 5 * SMALL), limit=SMALL)
    assert len(await Reader(app).read()) == 5 * SMALL


async def test_a_stream_and_an_answer_to_head_pass() -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Content-Length": str(2 * SMALL)}
        pieces = iter([b"a" * SMALL, b"b" * SMALL])
        await StreamingResponse(pieces, headers=headers)(scope, receive, send)

    async def head(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Content-Length": str(2 * SMALL)}
        await PlainTextResponse(b"", headers=headers)(scope, receive, send)

    assert await Reader(AnswerLimitMiddleware(stream, limit=1)).read() == (
        b"a" * SMALL + b"b" * SMALL
    )
    assert await Reader(AnswerLimitMiddleware(head, limit=1)).read() == b""
