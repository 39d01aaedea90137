"""Requests per second and CPU of a request, by what keeps a process to its cores.

    python -m docs.measure_cores [DATABASE_URL]

prints tables in Markdown, in about ten minutes: on a machine that is idle, and with
another process that keeps the first core busy. In all ways but one, the threads of
connections interrupt no other thread when they wake. The database should be empty; by
default it is on a new PostgreSQL server, which is removed at the end.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count, repeat
from pathlib import Path
from statistics import median

import httpx2
from uvicorn.loops.auto import auto_loop_factory

from comparison.markdown import number, table
from harness.load import drive, get, post
from harness.server import serve
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector, pool
from peewee_app.migrations import migrate
from peewee_app.models import Item, User
from peewee_app.web import affinity

from .measuring import postgresql_server, run

ROUNDS = 3
CLIENTS = 16
SECONDS = 3
numbers = count(1)


def first_core() -> asyncio.AbstractEventLoop:
    """Make a loop whose process is on the first of its cores, whoever else is there."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return auto_loop_factory()()


def follow() -> asyncio.AbstractEventLoop:
    """Make a loop whose other threads follow it to the core where it has just run."""
    loop = auto_loop_factory()()

    def look() -> None:
        stat = Path("/proc/thread-self/stat").read_text()
        core = int(stat.rpartition(") ")[2].split()[36])
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and thread.native_id:
                os.sched_setaffinity(thread.native_id, {core})
        loop.call_later(0.05, look)

    loop.call_soon(look)
    return loop


def interrupting() -> asyncio.AbstractEventLoop:
    """Make the app's own loop, beside threads that interrupt each other."""
    pool.let_others_finish = lambda: None
    return affinity.new_event_loop()


WAYS = {
    "as the system has it": "auto",
    "threads follow the loop": "docs.measure_cores:follow",
    "the first core": "docs.measure_cores:first_core",
    "the core that others use least": "peewee_app.web.affinity:new_event_loop",
    "the same, and threads interrupt each other": "docs.measure_cores:interrupting",
}


def sign_up() -> Iterator[bytes]:
    """Make requests that hash a password."""
    for n in numbers:
        yield post("/users/", b'{"email": "%d@example.com", "password": "chimi"}' % n)


REQUESTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "one user": lambda: repeat(get("/users/1")),
    "100 users": lambda: repeat(get("/users/")),
    "100 items": lambda: repeat(get("/items/")),
    "new item": lambda: repeat(post("/users/101/items/", b'{"title": "Foo"}')),
    "sign-up": sign_up,
}


def measure(url: str, loop: str) -> list[tuple[float, float]]:
    """Return requests per second and milliseconds of CPU, for each kind of request."""
    found = []
    with serve(url, "--no-access-log", "--loop", loop) as server:
        httpx2.get(f"{server.base_url}/users/1", timeout=60).raise_for_status()
        for requests in REQUESTS.values():
            before = server.cpu_seconds()
            load = drive(
                server.port, requests(), clients=CLIENTS, seconds=SECONDS, patience=30
            )
            spent = server.cpu_seconds() - before
            done = len(load.latencies) or 1
            found.append((load.per_second, spent / done * 1000))
    return found


def compare(url: str) -> str:
    """Measure all ways in turn, and so often; return the table of the medians."""
    found: dict[str, list[list[tuple[float, float]]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, loop in WAYS.items():
            found[way].append(measure(url, loop))
    rows = []
    for way, rounds in found.items():
        cells = [
            f"{number(median(r[0] for r in kind))} ({median(r[1] for r in kind):.2f})"
            for kind in zip(*rounds, strict=True)
        ]
        rows.append([way, *cells])
    return table(["requests/s (CPU, ms)", *REQUESTS], rows)


def main(url: str) -> None:
    """Measure, and print the tables."""
    # The last user gets the new items, and is on no page that is asked for.
    migrate(connector(url))
    with connect(db, connector(url)), db.atomic():
        for n in range(1, 102):
            user = User.create(email=f"{n}@example.org", hashed_password="")
            rows = [(f"{k}", user) for k in range(5)]
            Item.insert_many(rows, fields=[Item.title, Item.owner]).execute()
    print("An idle machine:\n")
    print(compare(url), "\n")
    first = min(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            os.sched_setaffinity(busy.pid, {first})
            print(f"Core {first} is kept busy by another process:\n")
            print(compare(url))
        finally:
            busy.kill()


if __name__ == "__main__":
    run(main, postgresql_server)
