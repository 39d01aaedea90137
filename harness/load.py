"""Clients that read and write at once, and what they were told."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.models import Item

USER = {"email": "deadpool@example.com", "password": "chimichangas4life"}


@dataclass
class Load:
    """What the clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    # The titles of the items that were acknowledged, and when.
    acknowledged: dict[str, float] = field(default_factory=dict)
    # When something other than 200 came.
    refused: list[float] = field(default_factory=list)
    slowest: float = 0

    def first_after(self, moment: float) -> float:
        """Seconds from the moment to the first write acknowledged after it."""
        return min(t for t in self.acknowledged.values() if t > moment) - moment

    def lost(self, stored: Counter[str]) -> int:
        return len(self.acknowledged.keys() - stored.keys())

    def report(self, title: str, **figures: object) -> None:
        """Print the figures, for `pytest -rP`, and for the documentation."""
        numbers = {
            **{str(status): n for status, n in sorted(self.statuses.items())},
            "slowest": f"{self.slowest:.1f} s",
            **figures,
        }
        print(f"{title}:", ", ".join(f"{name} {n}" for name, n in numbers.items()))


@asynccontextmanager
async def clients(base_url: str, count: int) -> AsyncIterator[Load]:
    """So many clients, which read and write until the end of the block.

    Each title is sent once: one that is stored twice was doubled by the app.
    """
    load = Load()
    stop = asyncio.Event()

    async def work(client: httpx2.AsyncClient, number: int) -> None:
        sent = 0
        while not stop.is_set():
            sent += 1
            title = f"{number}-{sent}"
            write = ("POST", "/users/1/items/", {"title": title})
            for method, path, body in (write, ("GET", "/items/?limit=10", None)):
                start = time.monotonic()
                response = await client.request(method, path, json=body)
                end = time.monotonic()
                load.slowest = max(load.slowest, end - start)
                load.statuses[f"{method} {response.status_code}"] += 1
                if response.status_code == 200:
                    if method == "POST":
                        load.acknowledged[title] = end
                    continue
                load.refused.append(end)
                assert response.status_code == 503, response.text
                assert int(response.headers["Retry-After"]) > 0
                await asyncio.sleep(0.05)

    limits = httpx2.Limits(max_connections=None)
    async with (
        httpx2.AsyncClient(base_url=base_url, timeout=60, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(count):
            group.create_task(work(client, number))
        try:
            yield load
        finally:
            stop.set()


def stored(url: str) -> Counter[str]:
    """The titles in the database, and how often each is there."""
    with connect(db, connector(url)):
        return Counter(item.title for item in Item.select())
