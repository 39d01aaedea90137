"""App for tests: a database, a model, and factories of a pool and an app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from peewee import AutoField, CharField, Model

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    Pool,
    add_database_error_handlers,
)

db = ContextDatabase()


class Note(Model):
    id = AutoField()
    text = CharField(unique=True)

    class Meta:
        database = db


class NoteOut(PeeweeGetterDict):
    text: str


def add(text: str) -> Note:
    return Note.create(text=text)


def count() -> int:
    return Note.select().count()


def texts() -> list[str]:
    return [note.text for note in Note.select().order_by(Note.id)]


def texts_in(pool: Pool) -> list[str]:
    """Return stored texts, read on a connection beside the pool's."""
    with pool.connection():
        return texts()


def make_app(pool: Pool, **options: Any) -> FastAPI:
    """Return an app whose requests have their connections from the pool."""

    async def get_db() -> AsyncIterator[ContextDatabase]:
        async with pool.request() as db:
            yield db

    dependencies = [Depends(get_db, scope="function")]
    app = FastAPI(dependencies=dependencies, **options)
    add_database_error_handlers(app)
    return app


@asynccontextmanager
async def client_of(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client


class SlowClient:
    """Client of an ASGI app that waits within its body, and before it reads."""

    def __init__(self) -> None:
        self.sending, self.send_on = asyncio.Event(), asyncio.Event()
        self.reading, self.read_on = asyncio.Event(), asyncio.Event()
        self._parts = [b'{"a":', b" 1}"]

    async def post(self, app: Any, path: str) -> None:
        """Send JSON until `send_on` is set, and read the answer when `read_on` is."""
        headers = [
            (b"content-type", b"application/json"),
            (b"transfer-encoding", b"chunked"),
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }
        await app(scope, self._send, self._read)

    async def _send(self) -> Any:
        if not self._parts:
            await self.read_on.wait()
            return {"type": "http.disconnect"}
        part = self._parts.pop(0)
        if not self._parts:
            self.sending.set()
            await self.send_on.wait()
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}

    async def _read(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.reading.set()
            await self.read_on.wait()


async def check_that_slow_clients_hold_no_connection(app: FastAPI) -> None:
    """Send and read slowly while another client is served; the pool has one slot."""

    @app.post("/stream")
    def stream(body: dict[str, int]) -> StreamingResponse:
        count()
        return StreamingResponse(iter(["a", "b"]))

    app.get("/count")(count)
    slow = SlowClient()
    async with client_of(app) as client:
        answered = asyncio.create_task(slow.post(app, "/stream"))
        await asyncio.wait_for(slow.sending.wait(), 5)
        assert (await client.get("/count")).json() == 0
        slow.send_on.set()
        await asyncio.wait_for(slow.reading.wait(), 5)
        assert (await client.get("/count")).json() == 0
        slow.read_on.set()
        await answered
