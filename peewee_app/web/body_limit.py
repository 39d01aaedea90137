"""A limit on the request body."""

from collections import deque

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimitMiddleware:
    """Read each request body ahead, and answer 413 if it is over `limit` bytes long.

    What runs behind it holds nothing while a slow client sends. Starlette's limit
    answers in plain text, and the clients of this app expect JSON.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        messages: deque[Message] = deque()
        size = 0
        more_body = True
        while more_body:
            message = await receive()
            messages.append(message)
            more_body = message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > self.limit:
                detail = f"The request body is over {self.limit} bytes long."
                response = JSONResponse({"detail": detail}, status_code=413)
                await response(scope, receive, send)
                return

        async def receive_again() -> Message:
            return messages.popleft() if messages else await receive()

        await self.app(scope, receive_again, send)
