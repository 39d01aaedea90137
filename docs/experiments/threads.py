"""One request runs on several threads."""

import asyncio
import threading
from collections.abc import Iterator

import httpx2
from fastapi import Depends, FastAPI

app = FastAPI()


def here(part: str) -> None:
    """Print the thread on which this part of the request runs."""
    thread = threading.current_thread()
    kind = "event loop" if thread is threading.main_thread() else "worker"
    # With its own end: two threads print at once.
    print(f"{part:<18} {kind:<10} {thread.native_id}\n", end="")


async def async_dependency() -> None:
    """Print where."""
    here("async dependency")


def sync_dependency() -> Iterator[None]:
    """Print where, before and after the path operation."""
    here("sync dependency")
    yield
    here("its exit")


@app.get("/", dependencies=[Depends(async_dependency), Depends(sync_dependency)])
def path_operation() -> None:
    """Print where."""
    here("path operation")


async def main() -> None:
    """Send two requests at once."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        await asyncio.gather(client.get("/"), client.get("/"))


if __name__ == "__main__":
    asyncio.run(main())
