"""Database of a request: `get_db`, as a path operation depends on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from peewee_app import models
from peewee_app.database import Db, db
from peewee_app.fastapi_peewee import NoConnectionError, Pool

from ..engines import on


def test_outside_a_request_there_is_no_connection() -> None:
    with pytest.raises(NoConnectionError, match="connect"):
        models.User.select().count()


@on("sqlite")
def test_a_request_has_a_connection_until_its_answer_begins(
    app: FastAPI, client: TestClient
) -> None:
    pool: Pool = client.app_state["pool"]

    def answer() -> Iterator[str]:
        yield "closed" if db.is_closed() else "open"

    @app.get("/stream")
    def stream(db: Db) -> StreamingResponse:
        assert db.table_exists("users")
        return StreamingResponse(answer())

    assert pool.db is db
    assert client.get("/stream").text == "closed"


@on("sqlite")
def test_a_request_that_asks_nothing_needs_no_database(
    app: FastAPI, client: TestClient, database_file: Path
) -> None:
    @app.get("/nothing")
    def nothing(db: Db) -> None:
        pass

    database_file.rename(f"{database_file}.away")
    assert client.get("/nothing").status_code == 200
    assert client.get("/users/").status_code == 503
