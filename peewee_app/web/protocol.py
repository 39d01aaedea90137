"""HTTP for uvicorn that bounds what one connection makes the process hold.

Uvicorn's own protocol reads on while answers are due and keeps every request that it
has read: 18 MB of short requests on one connection take more than a gigabyte. Also, a
client that never reads its answer keeps it in memory for ever.
"""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes that are parsed before the number of waiting requests is looked at.
PIECE = 2048
# Seconds in which a client has to take something of its answer.
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
    """Uvicorn's protocol on httptools with two limits, for its option `--http`.

    Requests that come before the answer to an earlier one wait in the socket, all but a
    few. A client that takes nothing of its answer for `SEND_TIMEOUT` seconds is cut
    off.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start with nothing to parse and nobody to wait for."""
        super().connection_made(transport)
        self.flow = PipelineFlow(transport, self)
        if self.server and self.server[1] is None:
            # A socket's path, of which Starlette would make the host of a URL.
            self.server = None
        self._unparsed = b""
        self._stuck: asyncio.TimerHandle | None = None

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
            super().data_received(data[start : start + PIECE])

    def on_response_complete(self) -> None:
        """Start the next request; parse and read on when none is left."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.flow.resume_reading()
            if self._unparsed:
                self.data_received(b"")

    def pause_writing(self) -> None:
        """Give the client time to take something."""
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        """Let the client be: it reads."""
        super().resume_writing()
        if self._stuck:
            self._stuck.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was not parsed."""
        super().connection_lost(exc)
        self._unparsed = b""

    def _wait_for_client(self, before: float = float("inf")) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self.transport.abort()
        else:
            self._stuck = self.loop.call_later(
                SEND_TIMEOUT, self._wait_for_client, left
            )
