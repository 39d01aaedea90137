"""Notes, on Peewee and FastAPI: `uvicorn examples.own_app:app`."""

from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI
from peewee import CharField, Model

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    add_database_error_handlers,
    connect,
    connector,
)

db = ContextDatabase()
pool = Pool(db, connector("sqlite:///./notes.db"), size=1, timeout=10)


class Note(Model):
    text = CharField()

    class Meta:
        database = db


async def get_db() -> AsyncIterator[ContextDatabase]:
    async with pool.request() as db:
        yield db


app = FastAPI(dependencies=[Depends(get_db, scope="function")])
add_database_error_handlers(app)
# `uvicorn --reload` imports the app on its event loop.
with connect(db, "sqlite:///./notes.db", may_block=True):
    db.create_tables([Note])


@app.get("/notes/")
def read_notes() -> list[str]:
    return [note.text for note in Note.select()]


@app.post("/notes/")
def create_note(text: str) -> str:
    return Note.create(text=text).text
