"""A slow query in a path operation: does the app answer others meanwhile?"""

import asyncio
import threading

import httpx2
from fastapi import FastAPI
from peewee import SqliteDatabase

app = FastAPI()
db = SqliteDatabase(":memory:")
answered = threading.Event()


@db.func()
def slow() -> bool:
    """Wait until another request is answered, or for a second."""
    return answered.wait(1)


def slow_query() -> bool:
    """Ask on a connection of plain Peewee's."""
    with db.connection_context():
        return bool(db.execute_sql("SELECT slow()").fetchone()[0])


@app.get("/def")
def on_a_thread() -> bool:
    """FastAPI runs it on a worker thread."""
    return slow_query()


@app.get("/async-def")
async def on_the_event_loop() -> bool:
    """FastAPI runs it on the event loop, where everything else runs as well."""
    return slow_query()


@app.get("/other")
async def other() -> None:
    """It needs no database, so it could be answered at any time."""
    answered.set()


async def main() -> None:
    """Send the slow request, and another one while it runs."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        for path in ("/def", "/async-def"):
            answered.clear()
            slow, _ = await asyncio.gather(client.get(path), client.get("/other"))
            print(f"{path}: was the other answered meanwhile? {slow.json()}")


if __name__ == "__main__":
    asyncio.run(main())
