"""Clients that conflict: every answer has to be true."""

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import httpx2
import pytest

from harness.server import Server, serve
from peewee_app import crud
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.models import Item, User

from ..databases import locked
from ..engines import on
from ..factories import USER


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """Server of two processes, so that requests conflict on SQLite, too."""
    with serve(url, "--no-access-log", "--workers", "2") as server:
        with server.client() as client:
            assert client.get("/health/ready").status_code == 200
        yield server
        server.stop()  # A kill would leave its workers.


def together(server: Server, *works: Callable[[httpx2.Client], None]) -> None:
    """Do all work at the same time, each with its own client."""

    def start(work: Callable[[httpx2.Client], None]) -> None:
        with server.client() as client:
            work(client)

    with ThreadPoolExecutor(len(works)) as threads:
        list(threads.map(start, works))


@on("postgresql", slow=["sqlite", "mariadb"])
def test_no_user_is_seen_without_the_items(server: Server, url: str) -> None:
    """Create and delete a user with three items."""
    seen: Counter[int] = Counter()
    done = threading.Event()

    def come_and_go() -> None:
        with connect(db, connector(url)):
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


@on("sqlite")
def test_two_connections_let_reads_pass_a_write_that_waits(
    url: str, database_file: Path
) -> None:
    with (
        serve(url, "--no-access-log", DATABASE_POOL_SIZE="2") as server,
        server.client() as client,
        ThreadPoolExecutor(1) as threads,
    ):
        client.post("/users/", json=USER).raise_for_status()
        with locked(database_file):
            path, item = "/users/1/items/", {"title": "a"}
            write = threads.submit(client.post, path, json=item)
            for _ in range(20):
                assert client.get("/users/1").json()["items"] == []
                time.sleep(0.01)
            assert not write.done()
        assert write.result().status_code == 200


@pytest.mark.slow
def test_contested_emails_are_no_error_of_the_server(server: Server, url: str) -> None:
    """Create, rename and delete users at once, with the same few emails."""
    emails = [f"{n}@example.com" for n in range(3)]
    ids: deque[int] = deque([1], maxlen=4)
    allowed = {
        "POST": {200, 400, 503},
        "PATCH": {200, 400, 404, 503},
        "DELETE": {204, 404, 503},
    }
    statuses: Counter[tuple[str, int]] = Counter()
    end = time.monotonic() + 10

    def come_and_go() -> None:
        """Write without the API, which hashes slowly."""
        random = Random(0)
        with connect(db, connector(url)):
            while time.monotonic() < end:
                User.delete().where(User.email == random.choice(emails)).execute()
                user = User.create(email=str(uuid.uuid4()), hashed_password="")
                ids.append(user.id)

    def contest(client: httpx2.Client, seed: int) -> None:
        random = Random(seed)
        while time.monotonic() < end:
            user = {"email": random.choice(emails)}
            path = f"/users/{random.choice(ids)}"
            method = random.choices(["POST", "PATCH", "DELETE"], [1, 20, 2])[0]
            if method == "POST":
                response = client.post("/users/", json=user | {"password": "x"})
            elif method == "PATCH":
                response = client.patch(path, json=user)
            else:
                response = client.delete(path)
            statuses[method, response.status_code] += 1
            if response.status_code == 200:
                assert response.json()["email"] == user["email"]

    writers = [threading.Thread(target=come_and_go) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        together(server, *(partial(contest, seed=seed) for seed in range(16)))
    finally:
        for writer in writers:
            writer.join()
    print(sorted(statuses.items()))
    for method, status in statuses:
        assert status in allowed[method], (method, status)
    assert statuses["PATCH", 200]
    assert statuses["PATCH", 400]


@pytest.mark.slow
def test_an_update_answers_with_its_own_value(server: Server) -> None:
    with server.client() as client:
        client.post("/users/", json=USER).raise_for_status()
        client.post("/users/1/items/", json={"title": "a"}).raise_for_status()
    statuses: Counter[int] = Counter()

    def update(client: httpx2.Client, number: int) -> None:
        for count in range(100):
            name = f"{number}-{count}"
            changes = [
                ("/users/1", {"email": f"{name}@example.com"}),
                ("/items/1", {"title": name}),
            ]
            for path, change in changes:
                response = client.patch(path, json=change)
                statuses[response.status_code] += 1
                if response.status_code == 200:
                    assert change.items() <= response.json().items()

    together(server, *(partial(update, number=number) for number in range(12)))
    print(statuses)
    assert statuses.keys() <= {200, 503}
    assert statuses[200] > statuses[503]
