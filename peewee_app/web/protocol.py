"""HTTP for uvicorn with a limit on the memory of one connection.

Uvicorn's own protocol reads on while answers are due and keeps every request that it
has read: 18 MB of short requests on one connection take more than a gigabyte. It lets
headers go on without end, or never come. A client that never reads its answer keeps it
in memory for ever.
"""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes that are parsed before the waiting requests are counted.
PIECE = 2048
# Bytes of headers, or of other data between two pieces of bodies. The parser refuses a
# longer URL.
MAX_HEAD = 64 * 1024
# Seconds for the headers of a request to come, and for the first request.
HEAD_TIMEOUT = 20
# Seconds for a client to read something of its answer.
SEND_TIMEOUT = 20


class PipelineFlow(FlowControl):
    """Flow control that does not read while a request waits for an earlier answer."""

    def __init__(self, transport: asyncio.Transport, protocol: "HttpProtocol") -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        """Read on, unless a request waits."""
        if not self._protocol.pipeline:
            super().resume_reading()


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on httptools with limits, for its option `--http`.

    While an answer is due, all but a few later requests wait in the socket. A client
    that reads nothing of its answer for `SEND_TIMEOUT` seconds is cut off, and so is
    one that sends no headers in `HEAD_TIMEOUT` seconds, or more than `MAX_HEAD` bytes
    of them.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start with nothing to parse, and no timeout."""
        super().connection_made(transport)
        self.flow = PipelineFlow(transport, self)
        if self.server and self.server[1] is None:
            # A socket's path, which Starlette would take for a URL's host.
            self.server = None
        self._unparsed = b""
        self._stuck: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._head_due = self.loop.call_later(HEAD_TIMEOUT, self._head_is_late)

    def data_received(self, data: bytes) -> None:
        """Parse the data until a request has to wait; keep the rest."""
        data = self._unparsed + data
        self._unparsed = b""
        for start in range(0, len(data), PIECE):
            if self.pipeline:
                self._unparsed = data[start:]
                return
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            piece = data[start : start + PIECE]
            self._head_size += len(piece)
            super().data_received(piece)
            if self._head_size > MAX_HEAD + PIECE and not self.transport.is_closing():
                self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        """Start the time limit and the count of the headers."""
        super().on_message_begin()
        self._head_size = 0
        self._head_due.cancel()
        self._head_due = self.loop.call_later(HEAD_TIMEOUT, self._head_is_late)

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._head_due.cancel()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; headers may come after it."""
        self._head_size = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Start the next request; parse and read on when none is left."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.flow.resume_reading()
            if self._unparsed:
                self.data_received(b"")

    def pause_writing(self) -> None:
        """Start the client's time to read."""
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        """Stop the client's time."""
        super().resume_writing()
        if self._stuck:
            self._stuck.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop unparsed data."""
        super().connection_lost(exc)
        self._unparsed = b""
        self._head_due.cancel()

    def _head_is_late(self) -> None:
        """Close the connection, unless an earlier request is being answered."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self._head_due = self.loop.call_later(HEAD_TIMEOUT, self._head_is_late)

    def _wait_for_client(self, before: float = float("inf")) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self.transport.abort()
        else:
            self._stuck = self.loop.call_later(
                SEND_TIMEOUT, self._wait_for_client, left
            )
