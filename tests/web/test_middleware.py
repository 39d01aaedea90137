"""Base of the middlewares: it sees HTTP requests, and nothing else."""

from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from peewee_app.web.middleware import HttpMiddleware


def test_it_sees_http_requests_only() -> None:
    app = FastAPI()
    seen = []

    class Seeing(HttpMiddleware):
        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])
            await self.app(scope, receive, send)

    @app.websocket("/")
    async def greet(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    app.get("/")(lambda: "hello")
    app.add_middleware(Seeing)
    with TestClient(app) as client:
        with client.websocket_connect("/") as websocket:
            assert websocket.receive_text() == "hello"
        assert client.get("/").json() == "hello"
    assert seen == ["http"]
