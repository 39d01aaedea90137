"""Limit on the memory that answers take until their clients have read them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import response_to, unavailable
from .middleware import HttpMiddleware

# Bytes of an answer that do not count, so that ordinary answers go out when large ones
# have used all memory for answers; also the size of a piece.
SMALL = 64 * 1024
# Bytes of all answers beyond that.
LIMIT = 128 * 1024 * 1024


class AnswerLimitMiddleware(HttpMiddleware):
    """Send large answers bit by bit; answer 503 while too much waits for its clients.

    A server takes an answer of one piece whole, however slowly its client reads. After
    a piece, it says when there is room for the next, so the app knows how much it
    holds. One answer of any size goes out. A stream does not count.
    """

    def __init__(self, app: ASGIApp, limit: int = LIMIT) -> None:
        super().__init__(app)
        self.limit = limit
        self._counted = 0

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None

        async def send_within_limit(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and size_of(message) > SMALL:
                start = message  # Held back until the answer is accepted.
            elif start is None:
                await send(message)
            elif message.get("more_body") or not message.get("body"):
                await send(start)  # A stream, or HEAD.
                start = None
                await send(message)
            else:
                await self._send_large(start, message["body"], scope, receive, send)

        await self.app(scope, receive, send_within_limit)

    async def _send_large(
        self, start: Message, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        size = len(body) - SMALL
        if self._counted and self._counted + size > self.limit:
            refusal = unavailable("Too many large answers at once.")
            await response_to(refusal)(scope, receive, send)
            return
        self._counted += size
        try:
            await send(start)
            for first in range(0, len(body), SMALL):
                piece = body[first : first + SMALL]
                more = first + SMALL < len(body)
                message = {"body": piece, "more_body": more}
                await send({"type": "http.response.body", **message})
        finally:
            self._counted -= size


def size_of(start: Message) -> int:
    """Return the bytes of the answer, or 0 if it does not say."""
    headers = dict(start.get("headers", ()))
    return int(headers.get(b"content-length", 0))
