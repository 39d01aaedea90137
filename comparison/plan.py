"""Plan: measurements, rounds and times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from harness.load import get, post

from .apps import ASYNC, DESIGN, OURS, PWASYNCIO, TORTOISE, TUNED, TUTORIAL, App

ITEM = b'{"title": "Foo", "description": "The Foo Wrestlers"}'

# A route's n-th request, given the number of users.
BuildRequest = Callable[[int, int], bytes]


def _some_user(n: int, users: int) -> int:
    """Return users in turn, far apart: 7919 is prime."""
    return n * 7919 % users + 1


ONE_USER = "GET /users/{id}"
USERS = "GET /users/?limit=100"
ITEMS = "GET /items/?limit=100"
NEW_ITEM = "POST /users/{id}/items/"
ROUTES: dict[str, BuildRequest] = {
    ONE_USER: lambda n, users: get(f"/users/{_some_user(n, users)}"),
    USERS: lambda n, users: get("/users/?limit=100"),
    ITEMS: lambda n, users: get("/items/?limit=100"),
    NEW_ITEM: lambda n, users: post(f"/users/{_some_user(n, users)}/items/", ITEM),
}
LARGEST_PAGE = get("/users/?limit=1000")

# The routes of the ladders of rows.
ROUTES_OF_ROWS = (ONE_USER, USERS, ITEMS)
ROUTES_OF_ITEMS = (ONE_USER, USERS)

# Parts that measure apps, in the order of the page. After the first comes the part that
# is measured without an app.
PARTS = ("routes", "clients", "rows", "items", "memory")
IN_PROCESS = "process"

# Apps on the ladders: not all, to save time.
LADDERS: dict[str, tuple[App, ...]] = {
    "clients": (OURS, DESIGN, TUTORIAL, ASYNC, TORTOISE, PWASYNCIO),
    "rows": (OURS, DESIGN, TUTORIAL, TORTOISE),
    "items": (OURS, DESIGN, TUNED, TORTOISE),
}


def apps_of(part: str, apps: Sequence[App]) -> list[App]:
    """Return the apps that the part measures."""
    if part == "routes":
        return list(apps)
    return [app for app in apps if app in LADDERS.get(part, apps) and not app.one_core]


@dataclass(frozen=True)
class Plan:
    """Times in seconds. A measurement ends at most `patience` after its time."""

    users: int = 1000
    items_per_user: int = 5
    clients: int = 16
    rounds: int = 5
    seconds: float = 1.0
    patience: float = 10.0
    warm_up: float = 0.3
    # Rounds of each way in process.
    process_rounds: int = 30
    # The ladders. Rows have one client, so that nothing else counts.
    ladder_seconds: float = 1.0
    ladder_clients: tuple[int, ...] = (1, 16, 64, 200, 1000)
    ladder_items: tuple[int, ...] = (1_000, 10_000, 100_000)
    ladder_items_per_user: tuple[int, ...] = (1, 10, 100)
    ladder_users: int = 100

    @property
    def items(self) -> int:
        """Number of items at the start."""
        return self.users * self.items_per_user


FULL = Plan()
# A few minutes, to see that everything runs; too short for real figures.
QUICK = replace(
    FULL,
    rounds=1,
    seconds=0.25,
    patience=2.0,
    warm_up=0.1,
    process_rounds=2,
    ladder_seconds=0.25,
    ladder_clients=(64,),
    ladder_items=(1_000,),
    ladder_items_per_user=(10,),
)

# Seconds that it takes to start and to stop a server, to fill in a million items, and
# to measure each way in process once.
START = 1.5
FILL = 8.0
PROCESS_ROUND = 0.3


class Work(NamedTuple):
    """Number of steps, and about how many seconds they take."""

    steps: int
    seconds: float


def work_of_app(plan: Plan) -> dict[str, Work]:
    """Return each part's work, for one app on one engine."""
    rung = plan.warm_up + plan.ladder_seconds
    clients, items, items_per_user = (
        len(plan.ladder_clients),
        len(plan.ladder_items),
        len(plan.ladder_items_per_user),
    )
    most_items = plan.ladder_users * sum(plan.ladder_items_per_user)
    return {
        "routes": Work(
            len(ROUTES) * (plan.rounds + 1),
            _start(1, plan.items)
            + len(ROUTES) * (plan.warm_up + plan.rounds * plan.seconds),
        ),
        "clients": Work(clients, _start(clients, plan.items) + clients * rung),
        "rows": Work(
            items,
            _start(items, sum(plan.ladder_items)) + items * len(ROUTES_OF_ROWS) * rung,
        ),
        "items": Work(
            items_per_user,
            _start(items_per_user, most_items)
            + items_per_user * len(ROUTES_OF_ITEMS) * rung,
        ),
        "memory": Work(1, _start(1, plan.items)),
    }


def _start(servers: int, items: int) -> float:
    return servers * START + items * FILL / 1_000_000


def work(plan: Plan, apps: Sequence[App], parts: Sequence[str], engines: int) -> Work:
    """Return the work of a run. An app that hangs adds `patience` each time."""
    of_app = work_of_app(plan)
    shares = [(of_app[p], len(apps_of(p, apps))) for p in PARTS if p in parts]
    steps = engines * sum(share.steps * number for share, number in shares)
    seconds = engines * sum(share.seconds * number for share, number in shares)
    # Once, for it to create its tables.
    seconds += engines * START * len(apps)
    if IN_PROCESS in parts:
        seconds += PROCESS_ROUND * plan.process_rounds
    return Work(steps, seconds)
