"""Requests with a connection wait for threads, and threads for connections."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import httpx2
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

CLIENTS = 100
FOLDER = tempfile.TemporaryDirectory()
# By default a thread waits 30 s for a connection: as long as the app would hang.
engine = create_engine(f"sqlite:///{FOLDER.name}/app.db", pool_timeout=1)
turns = asyncio.Semaphore(15)  # As many as the pool has connections.


async def no_turn() -> None:
    """Let every request in, as the tutorial does."""


async def a_turn() -> AsyncIterator[None]:
    """Let in as many requests as there are connections; coroutines wait."""
    async with turns:
        yield


async def statuses(turn: object) -> Counter[int]:
    """How many requests at once are answered with which status."""
    app = FastAPI()

    def get_db(_turn: Annotated[None, Depends(turn)]) -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    @app.get("/")
    def path_operation(db: Annotated[Session, Depends(get_db)]) -> list[int]:
        return list(db.scalars(text("SELECT 1")))

    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(CLIENTS)))
    return Counter(answer.status_code for answer in answers)


def main() -> None:
    """Try both."""
    for turn in (no_turn, a_turn):
        counted = asyncio.run(statuses(turn))
        print(f"{turn.__name__}: 200: {counted[200]}, 500: {counted[500]}")


if __name__ == "__main__":
    main()
