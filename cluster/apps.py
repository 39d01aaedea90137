"""Processes of the app, as an operator runs them, and a client for each."""

from contextlib import AsyncExitStack
from types import TracebackType

import httpx2

from harness.clients import http_client
from harness.processes import ServerError
from harness.server import Server, serve

# Requests that one process lets into the database at once.
POOL_SIZE = 4


class Apps:
    """Processes of the app, for as long as a block of code runs."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.clients: list[httpx2.AsyncClient] = []
        self.servers: list[Server] = []
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
        """Start one more process. Raise ServerError if it does not serve."""
        app = serve(
            self.database_url, "--no-access-log", DATABASE_POOL_SIZE=str(POOL_SIZE)
        )
        server = self._stack.enter_context(app)
        client = await self._stack.enter_async_context(http_client(server.base_url))
        try:
            (await client.get("/items/?limit=1")).raise_for_status()
        except httpx2.HTTPError as exc:
            raise ServerError(f"the app did not start: {exc}\n{server.log}") from exc
        self.clients.append(client)
        self.servers.append(server)

    def count_logged(self, text: str) -> int:
        """Count the text in the processes' logs."""
        return sum(server.log.count(text) for server in self.servers)
