"""What is measured, how often and how long."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .load import get, post

ITEM = b'{"title": "Foo", "description": "The Foo Wrestlers"}'

# A route's n-th request, given the number of users.
BuildRequest = Callable[[int, int], bytes]


def _some_user(n: int, users: int) -> int:
    """All users in turn, neighbours far apart: 7919 is prime."""
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


@dataclass(frozen=True)
class Plan:
    """Times are in seconds. Each measurement ends `patience` after its time at last."""

    users: int = 1000
    items_per_user: int = 5
    clients: int = 16
    rounds: int = 9
    seconds: float = 2.0
    patience: float = 10.0
    warm_up: float = 0.5
    # The ladders. On those of rows there is one client, so that nothing else counts.
    ladder_seconds: float = 2.0
    ladder_clients: tuple[int, ...] = (1, 16, 64, 200, 1000)
    ladder_items: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    ladder_items_per_user: tuple[int, ...] = (1, 10, 100, 1_000)
    ladder_users: int = 100

    @property
    def items(self) -> int:
        """How many items there are at the start."""
        return self.users * self.items_per_user


FULL = Plan()
# About a minute, to see that everything runs; too short for figures to rely on.
QUICK = replace(
    FULL,
    rounds=1,
    seconds=0.25,
    patience=2.0,
    warm_up=0.1,
    ladder_seconds=0.25,
    ladder_clients=(1, 64),
    ladder_items=(1_000,),
    ladder_items_per_user=(1, 10),
)
