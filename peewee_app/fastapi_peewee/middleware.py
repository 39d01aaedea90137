"""The alternative to a dependency: a scope for every request of an ASGI app."""

from contextlib import AsyncExitStack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .pool import Pool, PoolTimeoutError
from .responses import unavailable


class DatabaseMiddleware:
    """Gives every request a scope, as `get_db` does to those that depend on it.

    The guarantees are the same, but each request waits for a slot, also one that asks
    nothing of the database. The scope ends when the response starts, so a slow reader
    does not hold it; inside a middleware that reads the body ahead, a slow sender does
    not either. A plain ASGI middleware: Starlette's BaseHTTPMiddleware would run the
    path operation in another task.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self.app = app
        self.pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.pool.request())
            except PoolTimeoutError as exc:
                await unavailable(exc)(scope, receive, send)
                return

            async def end_and_send(message: Message) -> None:
                await stack.aclose()
                await send(message)

            await self.app(scope, receive, end_and_send)
