"""Base of the middlewares, which all concern HTTP requests only."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class HttpMiddleware:
    """ASGI middleware for HTTP requests; WebSockets and the lifespan pass it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        handle = self.handle if scope["type"] == "http" else self.app
        return handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, as an ASGI app does."""
        raise NotImplementedError
