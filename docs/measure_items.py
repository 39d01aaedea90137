"""Cost of one user's items: nested in the user, and by the page.

    python -m docs.measure_items [DATABASE_URL]

prints a table in Markdown. The database should be empty; by default it is a new SQLite
file, which is removed at the end.
"""

import httpx2

from harness.server import Server, serve
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from .measuring import run, sqlite_file

SIZES = (1_000, 30_000, 300_000)
PATHS = ("/users/?limit=1", "/users/1/items/?limit=100")
# Of CPU, which the system counts in hundredths of a second.
SECONDS = 1
BATCH = 5_000


def add_items(first: int, last: int) -> None:
    """Give the only user the items with these numbers."""
    for start in range(first, last + 1, BATCH):
        numbers = range(start, min(start + BATCH, last + 1))
        rows = [(f"Item {n}", "The Foo Wrestlers", 1) for n in numbers]
        Item.insert_many(
            rows, fields=[Item.title, Item.description, Item.owner]
        ).execute()


def cost(client: httpx2.Client, server: Server, path: str) -> tuple[int, float]:
    """Return an answer's bytes, and the server's CPU milliseconds for it."""
    length = len(client.get(path).raise_for_status().content)
    start, count = server.cpu_seconds(), 0
    while server.cpu_seconds() - start < SECONDS:
        client.get(path).raise_for_status()
        count += 1
    return length, (server.cpu_seconds() - start) / count * 1000


def main(url: str) -> None:
    """Fill the database at `url` step by step, measure, and print the table."""
    migrate(connector(url))
    with connect(db, connector(url)):
        if User.select().exists():
            raise SystemExit("The database should be empty.")
        User.create(id=1, email="deadpool@example.com", hashed_password="")
    print("| items of the user | request | bytes | CPU, ms |")
    print("| ---: | --- | ---: | ---: |")
    stored = 0
    with (
        serve(url, "--no-access-log") as server,
        httpx2.Client(base_url=server.base_url, timeout=120) as client,
    ):
        for size in SIZES:
            with connect(db, connector(url)), db.atomic():
                add_items(stored + 1, size)
            stored = size
            for path in PATHS:
                length, milliseconds = cost(client, server, path)
                print(f"| {size:,} | `GET {path}` | {length:,} | {milliseconds:.1f} |")


if __name__ == "__main__":
    run(main, sqlite_file)
