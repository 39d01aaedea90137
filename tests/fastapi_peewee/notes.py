"""App for tests: a database, a model, and factories of a pool and an app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import Depends, FastAPI
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
