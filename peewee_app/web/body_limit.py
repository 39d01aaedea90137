"""Limits on request bodies: on the bytes and the time of each, and on all together."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import response_to, unavailable
from .middleware import HttpMiddleware

# A request has one of them, or no body: RFC 9112, section 6.3.
BODY_HEADERS = {b"content-length", b"transfer-encoding"}
# Seconds that a body may take to arrive.
TIMEOUT = 20
# Bytes of each body that do not count, so that ordinary bodies come through when large
# ones have used all memory for bodies.
SMALL = 64 * 1024
# Bodies of the greatest length that there is memory for.
BODIES = 64


class BodyLimitMiddleware(HttpMiddleware):
    """Read each request body ahead, so that the app holds nothing while a slow client
    sends.

    Answer 413 to a body of over `limit` bytes, 408 to one that takes longer than
    `timeout` seconds, and 503 to one for which there is no memory now. Starlette's
    limit answers in plain text, and the clients of this app expect JSON.
    """

    def __init__(self, app: ASGIApp, limit: int, timeout: float = TIMEOUT) -> None:
        super().__init__(app)
        self.limit = limit
        self.timeout = timeout
        self._counted = 0

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if BODY_HEADERS.isdisjoint(dict(scope["headers"])):
            await self.app(scope, receive, send)
            return

        try:
            body = await self._read(receive)
        except HTTPException as exc:
            await response_to(exc)(scope, receive, send)
            return
        except ClientDisconnect:
            return

        counted = count(len(body))
        messages: list[Message] = [{"type": "http.request", "body": body}]
        del body  # Freed as soon as the app has dropped it.

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        self._counted += counted
        try:
            await self.app(scope, receive_again, send)
        finally:
            self._counted -= counted

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        more_body = True
        try:
            async with asyncio.timeout(self.timeout):
                while more_body:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    more_body = message.get("more_body", False)
                    before = len(body)
                    body += message.get("body", b"")
                    self._counted += count(len(body)) - count(before)
                    self._check(len(body))
        except TimeoutError:
            raise HTTPException(
                408,
                f"The request body took over {self.timeout:g} s to arrive.",
                {"Connection": "close"},
            ) from None
        finally:
            self._counted -= count(len(body))
        return bytes(body)

    def _check(self, size: int) -> None:
        if size > self.limit:
            detail = f"The request body is over {self.limit} bytes long."
            raise HTTPException(413, detail)
        if size > SMALL and self._counted > BODIES * self.limit:
            raise unavailable("Too many large requests at once.")


def count(size: int) -> int:
    """Return the bytes that count of a body of this size."""
    return max(0, size - SMALL)
