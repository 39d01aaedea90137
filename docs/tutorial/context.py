"""What a sync and an async dependency can hand to the rest of a request."""

from contextvars import ContextVar
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
connection = ContextVar("connection", default="nothing")


def sync_dependency() -> None:
    """Set it in a worker thread, in a copy of the request's context."""
    connection.set("a connection")


async def async_dependency() -> None:
    """Set it on the event loop, in the request's own context."""
    connection.set("a connection")


@app.get("/sync")
def after_sync(_: Annotated[None, Depends(sync_dependency)]) -> str:
    """What is there in the path operation, on a worker thread."""
    return connection.get()


@app.get("/async")
def after_async(_: Annotated[None, Depends(async_dependency)]) -> str:
    """What is there in the path operation, on a worker thread."""
    return connection.get()


if __name__ == "__main__":
    client = TestClient(app)
    for path in ("/sync", "/async"):
        print(path, client.get(path).json())
