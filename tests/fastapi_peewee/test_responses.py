"""Responses when the database cannot answer."""

import sqlite3
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from peewee import IntegrityError, OperationalError, PeeweeException
from starlette.websockets import WebSocketDisconnect

from peewee_app.fastapi_peewee import Pool, PoolTimeoutError, run

from ..engines import on
from .notes import add, make_app

BUSY = sqlite3.OperationalError("database is locked")
BUSY.sqlite_errorcode = sqlite3.SQLITE_BUSY
BUG = sqlite3.OperationalError("no such table: notes")
BUG.sqlite_errorcode = sqlite3.SQLITE_ERROR


def raising(pool: Pool, error: Exception) -> FastAPI:
    app = make_app(pool)

    @app.get("/")
    def endpoint() -> None:
        raise error

    @app.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        raise error

    return app


@on("sqlite")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PoolTimeoutError("no connection came free"), 503),
        (OperationalError("Connection already opened."), 503),
        (BUSY, 503),
        (BUG, 500),
        (PeeweeException("a bug"), 500),
    ],
)
def test_503_where_trying_again_may_help(
    notes_pool: Pool, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = raising(notes_pool, error)
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/")
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status == 503)
    assert str(error) not in response.text
    assert (f"503 Service Unavailable: {error}" in caplog.text) == (status == 503)


@on("sqlite")
def test_a_websocket_is_closed_with_the_code_for_try_again_later(
    notes_pool: Pool,
) -> None:
    with (
        TestClient(raising(notes_pool, BUSY)) as client,
        client.websocket_connect("/ws") as websocket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        websocket.receive_text()
    assert closed.value.code == 1013
    assert "Try again later" in closed.value.reason


def test_no_value_of_a_row_is_in_an_error(notes_pool: Pool) -> None:
    app = make_app(notes_pool)

    @app.post("/")
    async def create(text: str) -> Any:
        return (await run(lambda: add(text))).text

    with TestClient(app) as client:
        assert client.post("/?text=secret").json() == "secret"
        with pytest.raises(IntegrityError) as raised:
            client.post("/?text=secret")
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"
