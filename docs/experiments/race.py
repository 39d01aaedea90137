"""Two sign-ups with one email at once: look, then write; or let the index decide."""

import asyncio
import tempfile
import threading

import httpx2
from fastapi import FastAPI, HTTPException
from peewee import CharField, IntegrityError, Model, SqliteDatabase

FOLDER = tempfile.TemporaryDirectory()
db = SqliteDatabase(f"{FOLDER.name}/app.db")
app = FastAPI()
both = threading.Barrier(2)  # So that both have looked before either writes.


class User(Model):
    """A user, whose email is unique: that is the index which decides."""

    email = CharField(unique=True)

    class Meta:
        database = db


@app.post("/look-then-write")
def look_then_write() -> None:
    """Two can look before either writes."""
    with db.connection_context():
        if User.get_or_none(email="deadpool@example.com"):
            raise HTTPException(400, "Email already registered")
        both.wait(timeout=10)
        User.create(email="deadpool@example.com")


@app.post("/write")
def write() -> None:
    """The second write fails, however close they are."""
    with db.connection_context():
        both.wait(timeout=10)
        try:
            User.create(email="deadpool@example.com")
        except IntegrityError:
            raise HTTPException(400, "Email already registered") from None


async def main() -> None:
    """Send both kinds of sign-up twice at once."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        for path in ("/look-then-write", "/write"):
            with db.connection_context():
                db.drop_tables([User])
                db.create_tables([User])
            answers = await asyncio.gather(client.post(path), client.post(path))
            print(path, *sorted(answer.status_code for answer in answers))


if __name__ == "__main__":
    asyncio.run(main())
