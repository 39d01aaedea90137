"""Memory that one client can make the process use, and how long others wait.

    python -m docs.measure_limits [DATABASE_URL]

prints tables in Markdown, in about two minutes. The database should be empty; by
default it is a new SQLite file, which is removed at the end.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat

import httpx2

from comparison.markdown import number, table
from harness.load import drive, get
from harness.server import Server, serve
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from .measuring import run, sqlite_file

PROTOCOLS = ("httptools", "h11", "peewee_app.web.protocol:HttpProtocol")
PIPELINED = 18_000_000
SECONDS = 5
BATCH = 5_000
# Users, items of each, and characters of both texts of an item.
PAGES = {
    "a user with 100,000 long items": (1, 100_000, "é" * 255),
    "1,000 users with 100 items each": (1_000, 100, "Foo"),
    "1,000 users with 300 items each": (1_000, 300, "Foo"),
}


@contextmanager
def waiting(server: Server) -> Iterator[list[float]]:
    """Ask for /health until the end of the block; yield the seconds of each."""
    done = threading.Event()
    times: list[float] = []

    def ask() -> None:
        with httpx2.Client(base_url=server.base_url, timeout=60) as client:
            while not done.wait(0.01):
                start = time.monotonic()
                client.get("/health").raise_for_status()
                times.append(time.monotonic() - start)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield times
    finally:
        done.set()
        thread.join()


def pipeline(server: Server) -> None:
    """Send many requests on one connection, and read nothing."""
    request = get("/health")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(SECONDS)
        with suppress(TimeoutError):
            client.sendall(request * (PIPELINED // len(request)))


def at_once(server: Server, path: str, count: int) -> str:
    """Send `count` requests at once; return the statuses."""
    statuses = set()

    def ask() -> None:
        with httpx2.stream("GET", server.base_url + path, timeout=300) as response:
            size = sum(map(len, response.iter_raw()))
        statuses.add(f"{response.status_code}, {size / 1e6:.1f} MB")

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "; ".join(sorted(statuses))


def never_read(server: Server, path: str, count: int) -> str:
    """Send `count` requests, and read nothing."""
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(get(path))
        time.sleep(SECONDS)
    return ""


def fill(url: str, users: int, items: int, text: str) -> None:
    """Replace all rows by users with items."""
    patient = f"{url}{'&' if '?' in url else '?'}statement_timeout=600"
    with connect(db, connector(patient)), db.atomic():
        Item.delete().execute()
        User.delete().execute()
        ids = range(1, users + 1)
        people = [(n, f"{n}@example.com", "") for n in ids]
        fields = [User.id, User.email, User.hashed_password]
        for start in range(0, users, BATCH):
            User.insert_many(people[start : start + BATCH], fields=fields).execute()
        owners = [owner for owner in ids for _ in range(items)]
        for start in range(0, len(owners), BATCH):
            rows = [(text, text, owner) for owner in owners[start : start + BATCH]]
            Item.insert_many(
                rows, fields=[Item.title, Item.description, Item.owner]
            ).execute()


def measure(
    url: str, act: Callable[[Server], object], *options: str
) -> tuple[str, list[str]]:
    """Act on a new server; return the result, MiB before and at most, and wait."""
    with serve(url, "--no-access-log", *options) as server:
        httpx2.get(f"{server.base_url}/users/?limit=1", timeout=60)
        before = server.peak_mib() or 0
        with waiting(server) as times:
            said = str(act(server))
        peak = server.peak_mib() or 0
    return said, [number(before), number(peak), f"{max(times):.2f}"]


def main(url: str) -> None:
    """Measure, and print the tables."""
    migrate(connector(url))
    rows = []
    for protocol in PROTOCOLS:
        _, figures = measure(url, pipeline, "--http", protocol)
        with serve(url, "--no-access-log", "--http", protocol) as server:
            httpx2.get(f"{server.base_url}/health", timeout=60)
            load = drive(
                server.port,
                repeat(get("/health")),
                clients=16,
                seconds=SECONDS,
                patience=10,
            )
        rows.append([protocol, *figures, number(load.per_second)])
    waits = ["MiB before", "MiB at most", "/health, s at most"]
    print(table(["18 MB of requests, nothing read", *waits, "requests/s"], rows), "\n")
    rows = []
    for name, (users, items, text) in PAGES.items():
        fill(url, users, items, text)
        path = "/users/?limit=1000"
        for act, count in ((at_once, 1), (at_once, 4), (never_read, 100)):
            said, figures = measure(url, lambda s: act(s, path, count))  # noqa: B023
            how = f"{count} {'read' if said else 'never read'}"
            rows.append([name, how, said, *figures])
    print(table(["page", "clients", "answer", *waits], rows))


if __name__ == "__main__":
    run(main, sqlite_file)
