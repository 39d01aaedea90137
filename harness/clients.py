"""Clients that write and read at once: what they are told, and what is stored."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

import httpx2

from peewee_app.fastapi_peewee import connector

USER = {"email": "deadpool@example.com", "password": "chimichangas4life"}
# Items that a client posts for a user before it goes on with a new user.
ITEMS_PER_USER = 20
# Seconds that a client waits after an answer other than 200.
BACK_OFF = 0.05


@dataclass(frozen=True)
class Answer:
    """Outcome of a request, and its time; status 0 if no answer came."""

    time: float
    seconds: float
    method: str
    status: int


@dataclass
class Tally:
    """Answers to clients. Each text is sent once; one stored twice was doubled."""

    answers: list[Answer] = field(default_factory=list)
    # Rows answered with 200: each one's unique text, and the id in the answer.
    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    # The unique texts of the writes that ended otherwise.
    unacknowledged: set[str] = field(default_factory=set)
    # Rows that a client was told of and then could not read.
    not_read_back: int = 0

    def statuses(self, since: float = 0, until: float = float("inf")) -> Counter[int]:
        """Count the answers of each status in a time."""
        times = (answer for answer in self.answers if since <= answer.time < until)
        return Counter(answer.status for answer in times)

    def written(self, since: float = 0) -> list[float]:
        """Return the times of acknowledged writes since a time."""
        return [
            answer.time
            for answer in self.answers
            if answer.method == "POST" and answer.status == 200 and answer.time >= since
        ]

    def longest_silence(self, since: float) -> float:
        """Return the longest time without an acknowledged write, in seconds."""
        times = [since, *self.written(since), self.answers[-1].time]
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer."""
        return max(answer.seconds for answer in self.answers)

    def report(self, title: str, **figures: object) -> None:
        """Print the results, for `pytest -rP` and for the docs."""
        shown = [show(self.statuses()), f"slowest {self.slowest:.1f} s"]
        shown += [f"{name} {figure}" for name, figure in figures.items()]
        print(f"{title}:", ", ".join(shown))


def show(counts: Counter[int]) -> str:
    """Return the counts in a line, such as `200: 95, 503: 3`."""
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


class Client:
    """One client, whose requests go to any of the app's processes.

    It waits up to `pause` seconds before each.
    """

    def __init__(
        self,
        name: str,
        apps: list[httpx2.AsyncClient],
        tally: Tally,
        *,
        pause: float = 0,
    ) -> None:
        self.name = name
        self.apps = apps  # May grow, meanwhile.
        self.tally = tally
        self.pause = pause
        self.count = itertools.count()

    async def run(self, stop: asyncio.Event) -> None:
        """Post users and their items, and read the items back, until stopped."""
        while not stop.is_set():
            email = f"{self.name}-{next(self.count)}@example.com"
            user = USER | {"email": email}
            owner = await self.write("/users/", user, email, self.tally.users)
            for _ in range(ITEMS_PER_USER if owner else 0):
                if stop.is_set():
                    break
                await self.post_and_read_item(owner)

    async def post_and_read_item(self, owner: int | None) -> None:
        """Post an item of the user, and read it back."""
        title = f"{self.name}-{next(self.count)}"
        path, body = f"/users/{owner}/items/", {"title": title}
        item = await self.write(path, body, title, self.tally.items)
        if item is None:
            return
        response = await self.request("GET", f"/items/{item}")
        if response and response.status_code in {200, 404}:
            self.tally.not_read_back += response.json().get("title") != title

    async def write(
        self, path: str, body: dict[str, str], text: str, rows: dict[str, int]
    ) -> int | None:
        """Post once; return the id of the row, or None if it was not acknowledged."""
        response = await self.request("POST", path, body)
        if response is None or response.status_code != 200:
            self.tally.unacknowledged.add(text)
            return None
        rows[text] = response.json()["id"]
        return rows[text]

    async def request(
        self, method: str, path: str, body: dict[str, str] | None = None
    ) -> httpx2.Response | None:
        """Ask any process of the app, and note the answer."""
        await asyncio.sleep(random.uniform(0, self.pause))
        start = time.monotonic()
        response = None
        try:
            app = random.choice(self.apps)
            response = await app.request(method, path, json=body)
        except httpx2.TransportError:
            pass
        end = time.monotonic()
        status = response.status_code if response else 0
        self.tally.answers.append(Answer(end, end - start, method, status))
        if status != 200:
            await asyncio.sleep(BACK_OFF)
        return response


@asynccontextmanager
async def http_client(base_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client with as many connections as it needs."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=base_url, timeout=60, limits=limits
    ) as client:
        yield client


@asynccontextmanager
async def clients(base_url: str, count: int) -> AsyncIterator[Tally]:
    """Let `count` clients post and read items of user 1 during a block of code.

    Raise AssertionError at its end if anything but 200 and 503 was answered.
    """
    tally, stop = Tally(), asyncio.Event()

    async def work(client: Client) -> None:
        while not stop.is_set():
            await client.post_and_read_item(1)

    async with http_client(base_url) as app, asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(work(Client(str(number), [app], tally)))
        try:
            yield tally
        finally:
            stop.set()
    assert tally.statuses().keys() <= {200, 503}, show(tally.statuses())
    assert tally.not_read_back == 0


@dataclass
class Stored:
    """Rows of one database."""

    found: int = 0
    lost: int = 0
    doubled: int = 0
    # Rows of writes that were not acknowledged. That is allowed: the connection may
    # break between the write and the answer.
    unacknowledged: int = 0


Rows = Iterable[tuple[str, int]]


def compare(tally: Tally, users: Rows, items: Rows) -> Stored:
    """Compare the tally with a database's users (email, id) and items (title, id)."""
    stored = Stored()
    for acknowledged, rows in [(tally.users, users), (tally.items, items)]:
        found = set(rows)
        texts = Counter(text for text, _ in found)
        kept = len(acknowledged.items() & found)
        sent = texts.keys() & (acknowledged.keys() | tally.unacknowledged)
        stored.found += kept
        stored.lost += len(acknowledged) - kept
        stored.doubled += sum(texts[text] - 1 for text in sent)
        stored.unacknowledged += len(texts.keys() & tally.unacknowledged)
    return stored


def stored(url: str, tally: Tally) -> Stored:
    """Compare the tally with the database at `url`."""
    with closing(connector(url)()) as database:
        users = database.execute_sql("SELECT email, id FROM users").fetchall()
        items = database.execute_sql("SELECT title, id FROM items").fetchall()
    return compare(tally, users, items)
