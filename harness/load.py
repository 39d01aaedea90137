"""Load: clients that each send a request, wait for the answer, and send the next.

Raw HTTP/1.1 on asyncio protocols, so that it needs a small part of what the server
needs: a real HTTP client would be the bottleneck.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import cast

import uvloop

# Seconds for all clients to connect.
CONNECT_TIMEOUT = 20


@dataclass
class Load:
    """Results of a load. `latencies` are seconds, of the 200s only."""

    latencies: list[float] = field(default_factory=list)
    # Answers of another status, and connections that the server closed.
    failed: int = 0
    # Requests without an answer at the end.
    unanswered: int = 0
    # Seconds from the first request to the last answer.
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers with status 200 per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


def get(path: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, json: bytes) -> bytes:
    """Return a POST request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(json)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + json


class _Client(asyncio.Protocol):
    def __init__(self, next_request: Callable[[], bytes | None], load: Load) -> None:
        self._next_request = next_request
        self._load = load
        self._head = bytearray()
        self._missing = 0  # Bytes of the body.
        self._sent = 0.0
        self._waiting = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """Send the next request; hang up if there is none."""
        request = self._next_request()
        self._waiting = request is not None
        if request is None:
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = re.search(rb"content-length: (\d+)", self._head[:end].lower())
            if not length:
                raise ValueError("an answer without a length")
            self._missing = int(length[1]) - (len(self._head) - end - 4)
        if not self._missing:
            self._answered()

    def _answered(self) -> None:
        if self._head[9:12] == b"200":
            self._load.latencies.append(time.perf_counter() - self._sent)
        else:
            self._load.failed += 1
        self._head.clear()
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.failed += 1
        if not self.done.done():
            self.done.set_result(None)

    def abort(self) -> None:
        """Hang up without the answer."""
        self._load.unanswered += 1
        self._waiting = False
        self._transport.abort()


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    clients: int,
    seconds: float,
    patience: float,
) -> Load:
    """Let the clients send requests for `seconds`, then wait up to `patience` seconds
    for the last answers.

    Raise OSError or TimeoutError if the clients cannot connect.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(port, requests, clients, seconds, patience))


async def _drive(
    port: int, requests: Iterator[bytes], clients: int, seconds: float, patience: float
) -> Load:
    load = Load()
    end = 0.0

    def next_request() -> bytes | None:
        return next(requests, None) if time.perf_counter() < end else None

    loop = asyncio.get_running_loop()
    connected: list[_Client] = []
    async with asyncio.timeout(CONNECT_TIMEOUT):
        for _ in range(clients):
            _, client = await loop.create_connection(
                lambda: _Client(next_request, load), "127.0.0.1", port
            )
            connected.append(client)
    start = time.perf_counter()
    end = start + seconds
    for client in connected:
        client.send()
    all_done = [client.done for client in connected]
    await asyncio.wait(all_done, timeout=seconds + patience)
    load.seconds = time.perf_counter() - start
    for client in connected:
        if not client.done.done():
            client.abort()
    await asyncio.wait(all_done, timeout=patience)
    return load


def requests_for(build: Callable[[int], bytes]) -> Iterator[bytes]:
    """Return endless requests, the first is `build(0)`."""
    return map(build, count())
