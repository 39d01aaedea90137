"""A connection in a thread-local, and a dependency that runs on any thread."""

import asyncio
import tempfile
import time
from collections.abc import Iterator

import httpx2
from fastapi import Depends, FastAPI
from peewee import SqliteDatabase
from psutil import Process

FOLDER = tempfile.TemporaryDirectory()


async def ask(clients: int, *, reuse_if_open: bool) -> None:
    """Print what becomes of so many requests at once, and of their connections."""
    file = f"{clients}-{reuse_if_open}.db"
    db = SqliteDatabase(f"{FOLDER.name}/{file}")
    app = FastAPI(debug=True)  # It answers with the traceback of an error.

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
    errors = [each.text.splitlines()[-1] for each in answers if each.is_error]
    still_open = sum(each.path.endswith(file) for each in Process().open_files())
    print(f"{clients} clients, reuse_if_open={reuse_if_open}:", end=" ")
    print(f"200: {clients - len(errors)}, 500: {len(errors)},", end=" ")
    print(f"connections still open: {still_open}")
    for error in set(errors):
        print(f"  {error}")


def main() -> None:
    """Try few clients and many."""
    for clients, reuse_if_open in [(20, False), (50, False), (50, True)]:
        asyncio.run(ask(clients, reuse_if_open=reuse_if_open))


if __name__ == "__main__":
    main()
