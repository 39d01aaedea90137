"""A connection in a thread-local, and a dependency that runs on any thread."""

import asyncio
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
from fastapi import Depends, FastAPI
from peewee import SqliteDatabase

FOLDER = tempfile.TemporaryDirectory()
still_open: list[sqlite3.Connection] = []


class Connection(sqlite3.Connection):
    """A connection that is in `still_open` while it is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        still_open.append(self)

    def close(self) -> None:
        still_open.remove(self)
        super().close()


async def statuses(clients: int, *, reuse_if_open: bool) -> Counter[int]:
    """How many of so many requests at once are answered with which status."""
    still_open.clear()
    db = SqliteDatabase(f"{FOLDER.name}/app.db", factory=Connection)
    app = FastAPI()

    def get_db() -> Iterator[None]:
        db.connect(reuse_if_open=reuse_if_open)
        try:
            yield
        finally:
            db.close()

    @app.get("/", dependencies=[Depends(get_db)])
    def path_operation() -> None:
        db.execute_sql("SELECT 1")
        time.sleep(0.01)

    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(clients)))
    return Counter(answer.status_code for answer in answers)


def main() -> None:
    """Try few clients and many."""
    for clients, reuse_if_open in [(20, False), (50, False), (50, True)]:
        counted = asyncio.run(statuses(clients, reuse_if_open=reuse_if_open))
        print(
            f"{clients} clients, reuse_if_open={reuse_if_open}: "
            f"200: {counted[200]}, 500: {counted[500]}, "
            f"connections still open: {len(still_open)}"
        )


if __name__ == "__main__":
    main()
