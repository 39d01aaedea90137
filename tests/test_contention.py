"""Clients that get in each other's way: what each is told has to be true."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from peewee_app import crud
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.models import Item, User

from .server import Server, serve

USER = {"email": "deadpool@example.com", "password": "chimichangas4life"}


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """Two processes, so that requests get in each other's way on SQLite, too."""
    with serve(url, "--no-access-log", "--workers", "2") as server:
        with httpx2.Client(base_url=server.base_url, timeout=60) as client:
            assert client.get("/health/ready").status_code == 200
        yield server
        server.stop()  # Killed, it would leave its workers behind.


def together(server: Server, *works: Callable[[httpx2.Client], None]) -> None:
    """Do all of it at the same time, each with a client of its own."""

    def start(work: Callable[[httpx2.Client], None]) -> None:
        with httpx2.Client(base_url=server.base_url, timeout=60) as client:
            work(client)

    with ThreadPoolExecutor(len(works)) as threads:
        list(threads.map(start, works))


def test_no_user_is_seen_without_the_items(server: Server, url: str) -> None:
    """A user comes with three items, and goes with them."""
    seen: Counter[int] = Counter()
    done = threading.Event()

    def come_and_go() -> None:
        with connect(connector(url)):
            while not done.is_set():
                with db.atomic():
                    User.create(id=1, email="a", hashed_password="")
                    for title in "abc":
                        Item.create(title=title, owner=1)
                crud.delete_user(1)

    def read(client: httpx2.Client) -> None:
        for _ in range(150):
            user = client.get("/users/1")
            users = [user.json()] if user.status_code == 200 else []
            users += client.get("/users/").json()
            seen.update(len(user["items"]) for user in users)

    writer = threading.Thread(target=come_and_go)
    writer.start()
    try:
        together(server, read, read)
    finally:
        done.set()
        writer.join()
    assert seen.keys() == {3}
