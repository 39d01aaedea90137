"""App for these tests: notes, each of which is unique."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from fastapi import Depends, FastAPI
from peewee import BooleanField, CharField, Model

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    add_database_error_handlers,
    connect,
    connector,
)

db = ContextDatabase()


class Note(Model):
    """A text that is unique."""

    text = CharField(unique=True)
    is_read = BooleanField(default=False)

    class Meta:
        database = db


def ask(url: str, sql: str) -> Any:
    """Return the first value of the query's result."""
    with closing(connector(url)()) as connection:
        connection.connect()
        return connection.execute_sql(sql).fetchone()[0]


def note_app(url: str) -> tuple[FastAPI, Any]:
    """Return an app with one connection, and its dependency."""
    connect_to = connector(url)
    pool = Pool(db, connect_to, size=1, timeout=5)

    async def get_db() -> AsyncIterator[ContextDatabase]:
        async with pool.request():
            yield db

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with connect(db, connect_to, may_block=True):
            db.create_tables([Note])
        yield
        pool.close()

    app = FastAPI(lifespan=lifespan)
    add_database_error_handlers(app)
    dependency = Depends(get_db, scope="function")

    @app.get("/notes/", dependencies=[dependency])
    def read_notes() -> list[str]:
        return [note.text for note in Note.select()]

    @app.post("/notes/", dependencies=[dependency])
    def create_note(text: str) -> None:
        Note.create(text=text)

    return app, dependency
