"""A pool of one connection: many clients, and one that does not let go."""

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
from fastapi import Depends, FastAPI

from peewee_app.database import db
from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    add_database_error_handlers,
    connector,
)

FOLDER = tempfile.TemporaryDirectory()
pool = Pool(db, connector(f"sqlite:///{FOLDER.name}/app.db"), size=1, timeout=10)
app = FastAPI()
add_database_error_handlers(app)
begun, may_end = threading.Event(), threading.Event()


async def get_db() -> AsyncIterator[ContextDatabase]:
    """Wait for a turn; as in peewee_app/database.py."""
    async with pool.request():
        yield db


Db = Annotated[ContextDatabase, Depends(get_db, scope="function")]


@app.get("/fast")
def fast(db: Db) -> None:
    """Ask the database something."""
    db.execute_sql("SELECT 1")


@app.get("/slow")
def slow(db: Db) -> None:
    """Keep the only turn."""
    begun.set()
    may_end.wait(timeout=30)


async def main() -> None:
    """Send many requests at once, and then one that cannot have its turn in time."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        answers = await asyncio.gather(*(client.get("/fast") for _ in range(200)))
        print("200 clients:", dict(Counter(answer.status_code for answer in answers)))

        pool.timeout = 0.1
        holding = asyncio.create_task(client.get("/slow"))
        await asyncio.to_thread(begun.wait)
        answer = await client.get("/fast")
        print("while one holds it:", answer.status_code, answer.json())
        print("Retry-After:", answer.headers["Retry-After"])
        may_end.set()
        print("the one that held it:", (await holding).status_code)
        print("afterwards:", (await client.get("/fast")).status_code)
    pool.close()


if __name__ == "__main__":
    asyncio.run(main())
