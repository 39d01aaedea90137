"""Four ways to give a request its connection, each with 50 clients at once."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx2
from fastapi import Depends, FastAPI
from peewee import SqliteDatabase
from playhouse.pwasyncio import AsyncSqliteDatabase

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connector

FOLDER = tempfile.TemporaryDirectory()
FILE = f"{FOLDER.name}/app.db"
app = FastAPI()

sync_db = SqliteDatabase(FILE)


def open_and_close() -> Iterator[None]:
    """Not safe: `connect` and `close` can run on two threads."""
    sync_db.connect()
    try:
        yield
    finally:
        sync_db.close()


@app.get("/sync-yield", dependencies=[Depends(open_and_close)])
def sync_yield() -> None:
    """Use what the dependency has opened, if it was on this thread."""
    sync_db.execute_sql("SELECT 1")
    time.sleep(0.01)


@app.get("/with-db")
def with_db() -> None:
    """Open, use and close it on one thread, the one of the path operation."""
    with sync_db:
        sync_db.execute_sql("SELECT 1")
        time.sleep(0.01)


async_db = AsyncSqliteDatabase(FILE)


@app.get("/pwasyncio")
async def pwasyncio() -> None:
    """Wait for a connection of the task, and for each query, on the event loop."""
    async with async_db:
        await async_db.aexecute_sql("SELECT 1")
        await asyncio.sleep(0.01)


context_db = ContextDatabase()
pool = Pool(context_db, connector(f"sqlite:///{FILE}"), size=1, timeout=10)


async def get_db() -> AsyncIterator[ContextDatabase]:
    """As in peewee_app/database.py."""
    async with pool.request() as db:
        yield db


@app.get("/ours")
def ours(db: Annotated[ContextDatabase, Depends(get_db, scope="function")]) -> None:
    """Use the connection of the request, on whatever thread this is."""
    db.execute_sql("SELECT 1")
    time.sleep(0.01)


async def main() -> None:
    """Ask each 50 times at once."""
    transport: Any = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        for path in ("/sync-yield", "/with-db", "/pwasyncio", "/ours"):
            answers = await asyncio.gather(*(client.get(path) for _ in range(50)))
            counted = Counter(answer.status_code for answer in answers)
            print(f"{path}: 200: {counted[200]}, 500: {counted[500]}")
    await async_db.close_pool()
    pool.close()


if __name__ == "__main__":
    asyncio.run(main())
