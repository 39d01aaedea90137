"""A slow query in a path operation: does the app answer others meanwhile?"""

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx2
from fastapi import Depends, FastAPI

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connector

db = ContextDatabase()
connect = connector("sqlite://")
pool = Pool(db, connect, size=1, timeout=10)
answered = threading.Event()


async def get_db() -> AsyncIterator[None]:
    """Give a request its connection."""
    async with pool.request():
        yield


app = FastAPI()


def slow_query() -> bool:
    """A query that goes on until another request is answered, or for a second."""
    db.register_function(lambda: answered.wait(1), "slow")
    return bool(db.execute_sql("SELECT slow()").fetchone()[0])


@app.get("/def", dependencies=[Depends(get_db, scope="function")])
def on_a_thread() -> bool:
    """FastAPI runs it on a worker thread."""
    return slow_query()


@app.get("/async-def", dependencies=[Depends(get_db, scope="function")])
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
    pool.close()
