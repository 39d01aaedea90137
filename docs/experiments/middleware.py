"""What a middleware sets, and what the path operation sets, and who sees it."""

import asyncio
from contextvars import ContextVar

import httpx2
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connector

down: ContextVar[str] = ContextVar("down", default="nothing")
up: ContextVar[str] = ContextVar("up", default="nothing")
pool = Pool(ContextDatabase(), connector("sqlite://"), size=1, timeout=0.1)


class PlainMiddleware:
    """As ASGI has it: it awaits the app, in its own task."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        down.set("the middleware's")
        async with pool.request():
            scope["state"] = {"task": asyncio.current_task()}
            await self.app(scope, receive, send)
        print(f"  the middleware sees {up.get()}")


class BaseMiddleware(BaseHTTPMiddleware):
    """As Starlette makes it easy: `call_next` runs the app in a new task."""

    async def dispatch(
        self, request: Request, call_next: RequestResponseEndpoint
    ) -> Response:
        down.set("the middleware's")
        async with pool.request():
            request.state.task = asyncio.current_task()
            response = await call_next(request)
        print(f"  the middleware sees {up.get()}")
        return response


async def path_operation(request: Request) -> None:
    """Look at what the middleware has left, and leave something."""
    up.set("the path operation's")
    print(f"  the path operation sees {down.get()}")
    print(f"  the same task: {request.state.task is asyncio.current_task()}")
    async with pool.request():
        print("  the connection of the middleware")


async def main() -> None:
    """Send a request through each."""
    for middleware in (PlainMiddleware, BaseMiddleware):
        print(middleware.__name__)
        app = FastAPI()
        app.get("/")(path_operation)
        app.add_middleware(middleware)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport) as client:
            # In a task of its own, as a server does it.
            await asyncio.create_task(client.get("http://app/"))


if __name__ == "__main__":
    asyncio.run(main())
