"""Clients that write and read, each request through another process of the app."""

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2

# Items that a client posts for a user before it goes on with a new user.
ITEMS_PER_USER = 20
# Seconds that a client thinks between two requests, at most.
PAUSE = 0.05


@dataclass(frozen=True)
class Answer:
    """What a request ended with: seconds on the clock, and 0 for no answer at all."""

    time: float
    method: str
    status: int


@dataclass
class Tally:
    """What the clients have seen."""

    answers: list[Answer] = field(default_factory=list)
    # Of each row with a 200: its unique text, and the id that the client was told.
    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    # The unique texts of the writes that ended otherwise.
    unacknowledged: set[str] = field(default_factory=set)
    # Rows that a client was told of and then could not read.
    not_read_back: int = 0

    def statuses(self, since: float = 0, until: float = float("inf")) -> Counter[int]:
        """How many answers of each status there were in a time."""
        times = (answer for answer in self.answers if since <= answer.time < until)
        return Counter(answer.status for answer in times)

    def written(self, since: float = 0) -> list[float]:
        """When writes were acknowledged, from a time on."""
        return [
            answer.time
            for answer in self.answers
            if answer.method == "POST" and answer.status == 200 and answer.time >= since
        ]

    def longest_silence(self, since: float) -> float:
        """The most seconds on end without an acknowledged write, from a time on."""
        times = [since, *self.written(since), self.answers[-1].time]
        return max(later - sooner for sooner, later in itertools.pairwise(times))


class Client:
    """One client: it posts users and their items, and reads them back."""

    def __init__(self, name: str, apps: list[httpx2.AsyncClient], tally: Tally) -> None:
        self.name = name
        self.apps = apps  # May grow, meanwhile.
        self.tally = tally
        self.count = itertools.count()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            email = f"{self.name}-{next(self.count)}@example.com"
            user = {"email": email, "password": "chimichangas4life"}
            owner = await self.write("/users/", user, email, self.tally.users)
            for _ in range(ITEMS_PER_USER if owner else 0):
                if stop.is_set():
                    break
                await self.post_and_read_item(f"/users/{owner}")

    async def post_and_read_item(self, user: str) -> None:
        """Post an item of the user, and read it back through another process."""
        title = f"{self.name}-{next(self.count)}"
        path, body = f"{user}/items/", {"title": title}
        if await self.write(path, body, title, self.tally.items) is None:
            return
        response = await self.request("GET", user)
        if response and response.status_code == 200:
            titles = [item["title"] for item in response.json()["items"]]
            self.tally.not_read_back += title not in titles

    async def write(
        self, path: str, body: dict[str, str], text: str, rows: dict[str, int]
    ) -> int | None:
        """Post once; the id of the new row, or None if it was not acknowledged."""
        response = await self.request("POST", path, body)
        if response is None or response.status_code != 200:
            self.tally.unacknowledged.add(text)
            return None
        rows[text] = response.json()["id"]
        return rows[text]

    async def request(
        self, method: str, path: str, body: dict[str, str] | None = None
    ) -> httpx2.Response | None:
        """Ask any process of the app, and note what it answers."""
        await asyncio.sleep(random.uniform(0, PAUSE))
        response = None
        try:
            app = random.choice(self.apps)
            response = await app.request(method, path, json=body)
        except httpx2.TransportError:
            pass
        status = response.status_code if response else 0
        self.tally.answers.append(Answer(time.monotonic(), method, status))
        return response
