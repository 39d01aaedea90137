"""Memory that one connection may take."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import psutil
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.server import serve
from peewee_app.web import protocol
from peewee_app.web.protocol import HttpProtocol

from ..engines import on

MEGABYTE = 1_000_000


@on("sqlite")
def test_a_client_that_pipelines_and_reads_nothing(url: str) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: app\r\n\r\n"
    requests = request * (18 * MEGABYTE // len(request))
    with serve(url, "--no-access-log") as server:
        httpx2.get(f"{server.base_url}/health", timeout=60)
        process = psutil.Process(server.process.pid)
        before = process.memory_info().rss
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.settimeout(2)
            with pytest.raises(TimeoutError):
                client.sendall(requests)
            assert process.memory_info().rss - before < 20 * MEGABYTE
            answer = httpx2.get(f"{server.base_url}/health", timeout=60)
            assert answer.status_code == 200


@asynccontextmanager
async def serving(
    app: ASGIApp,
    http: type[asyncio.Protocol] = HttpProtocol,
    address: tuple[str, int] | str = ("127.0.0.1", 0),
) -> AsyncIterator[int]:
    """Serve the app with this protocol in this event loop; yield the port."""
    config = uvicorn.Config(app, http=http, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind(address)
        listener.listen()
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path and the length of the body."""
    assert scope["type"] == "http"
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
        await asyncio.sleep(0)
    body = f"{scope['path']} {length}\n".encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.anyio
@pytest.mark.parametrize("piece", [1, 1000, 1 << 22])
async def test_pipelined_requests_are_answered_in_their_order(piece: int) -> None:
    count = 50 if piece == 1 else 2000
    body = b"b" * (300 if piece == 1 else 300_000)
    post = b"POST /%d HTTP/1.1\r\nHost: app\r\nContent-Length: %d\r\n\r\n"
    data = b"".join(
        b"GET /%d HTTP/1.1\r\nHost: app\r\n\r\n" % number
        if number % 50
        else post % (number, len(body)) + body
        for number in range(count)
    )
    last = b"GET /last HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n"

    async with serving(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def write() -> None:
            for start in range(0, len(data), piece):
                writer.write(data[start : start + piece])
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(last + b"GET /never HTTP/1.1\r\nHost: app\r\n\r\n")
            await writer.drain()

        writing = asyncio.create_task(write())
        answers = (await asyncio.wait_for(reader.read(), 60)).decode()
        await writing
        writer.close()
    got = [line for line in answers.splitlines() if line.startswith("/")]
    assert got == [
        *(f"/{n} {0 if n % 50 else len(body)}" for n in range(count)),
        "/last 0",
    ]


@pytest.mark.anyio
async def test_a_body_that_nobody_reads_stays_in_the_socket() -> None:
    """Keep Uvicorn's limit on a body when pieces are parsed."""
    received: list[HttpProtocol] = []
    done = asyncio.Event()

    async def lazy(scope: Scope, receive: Receive, send: Send) -> None:
        await done.wait()
        await echo(scope, receive, send)

    class Watched(HttpProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            received.append(self)

    async with serving(lazy, Watched) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n"
            b"Content-Length: 20000000\r\n\r\n" + b"b" * 20_000_000
        )
        await asyncio.sleep(1)
        assert len(received[0].cycle.body) < MEGABYTE
        done.set()
        assert (await asyncio.wait_for(reader.read(), 30)).endswith(b"/ 20000000\n")
        writer.close()


def large(pieces: int) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % (pieces * 65536))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(pieces):
            message: Message = {"type": "http.response.body", "body": b"a" * 65536}
            await send({**message, "more_body": number + 1 < pieces})

    return app


@pytest.mark.anyio
async def test_a_client_that_reads_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "SEND_TIMEOUT", 0.2)
    async with serving(large(1000)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        await asyncio.sleep(2)  # The reader buffers 128 KiB, and no more.
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1000 * 65536), 20)
        writer.close()


@pytest.mark.anyio
async def test_a_client_that_reads_slowly_gets_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "SEND_TIMEOUT", 0.5)
    async with serving(large(200)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")
        got = 0
        while data := await asyncio.wait_for(reader.read(1 << 18), 10):
            got += len(data)
            await asyncio.sleep(0.1 if got > 10_000_000 else 0.001)
        writer.close()
    assert got > 200 * 65536


@pytest.mark.anyio
async def test_a_redirect_has_no_path_of_a_unix_socket_for_its_host(
    tmp_path: Path,
) -> None:
    app = FastAPI()
    app.add_api_route("/users/", lambda: None)
    path = f"{tmp_path}/sock"
    async with serving(app, address=path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /users HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert b"location: /users/\r\n" in answer


HEAD = b"GET /1 HTTP/1.1\r\nHost: app\r\n"
CHUNKED = b"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(HEAD, b"X-Name: value\r\n", id="headers"),
        pytest.param(HEAD + b"X-Name: ", b"value", id="one header"),
        pytest.param(CHUNKED + b"1\r\nb\r\n0\r\n", b"X: y\r\n", id="trailers"),
    ],
)
async def test_headers_without_end(start: bytes, piece: bytes) -> None:
    async with serving(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(start + piece * (MEGABYTE // len(piece)))
        async with asyncio.timeout(30):
            with suppress(ConnectionError):  # Unread data resets it.
                await reader.read()
        writer.close()


@pytest.mark.anyio
@pytest.mark.parametrize("head", [b"", b"GET /1 HTT", HEAD])
async def test_headers_that_do_not_come(
    head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.2)
    async with serving(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.anyio
async def test_a_long_answer_outlives_half_of_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.1)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await echo(scope, receive, send)

    async with serving(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n" + HEAD)
        async with asyncio.timeout(30):
            assert b"/1 0" in await reader.read()
        writer.close()
