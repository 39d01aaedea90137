"""Processes of the app, as an operator runs them, and a client for each."""

import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType

import httpx2

from harness.server import serve

# Requests that one process lets into the database at once.
POOL_SIZE = 4


class AppError(Exception):
    """A process of the app did not start; its log says why."""


class Apps:
    """Processes of the app, for as long as a block of code runs."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.clients: list[httpx2.AsyncClient] = []
        self.logs: list[list[str]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Apps":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def add(self) -> None:
        """Start one more process. Raises AppError if it does not serve."""
        base_url, log = self._stack.enter_context(process(self.database_url))
        client = httpx2.AsyncClient(
            base_url=base_url, timeout=60, limits=httpx2.Limits(max_connections=None)
        )
        await self._stack.enter_async_context(client)
        try:
            (await client.get("/items/?limit=1")).raise_for_status()
        except httpx2.HTTPError as exc:
            raise AppError(f"the app did not start: {exc}\n{''.join(log)}") from exc
        self.clients.append(client)
        self.logs.append(log)

    def count_logged(self, text: str) -> int:
        """How many lines of the processes' logs have the text in them."""
        return sum(text in line for log in self.logs for line in log)


@contextmanager
def process(database_url: str) -> Iterator[tuple[str, list[str]]]:
    """One process: its address, and a list that its log's lines are added to."""
    size = str(POOL_SIZE)
    with serve(database_url, "--no-access-log", DATABASE_POOL_SIZE=size) as server:
        log: list[str] = []
        # Read all the time: a process waits when nobody reads what it prints.
        reader = threading.Thread(target=log.extend, args=[server.process.stdout])
        reader.start()
        try:
            yield server.base_url, log
        finally:
            server.process.kill()
            reader.join()
