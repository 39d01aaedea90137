"""Time of a page by its depth, with `skip` and with `after`, among a million items.

    python -m docs.measure_paging [DATABASE_URL]

prints a table in Markdown. The database should be empty; by default it is a new SQLite
file, which is removed at the end.
"""

import time

import httpx2

from harness.server import serve
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from .measuring import run, sqlite_file

ROWS = 1_000_000
DEPTHS = (0, 1_000, 10_000, 100_000, ROWS - 100)
REPEATS = 30
BATCH = 5_000


def fill(url: str) -> None:
    """Make the tables, one user, and the items."""
    migrate(connector(url))
    with connect(db, connector(url)), db.atomic():
        if User.select().exists():
            raise SystemExit("The database should be empty.")
        User.create(id=1, email="deadpool@example.com", hashed_password="")
        for first in range(1, ROWS + 1, BATCH):
            numbers = range(first, first + BATCH)
            rows = [(n, f"Item {n}", "The Foo Wrestlers", 1) for n in numbers]
            fields = [Item.id, Item.title, Item.description, Item.owner]
            Item.insert_many(rows, fields=fields).execute()
        # Without it, PostgreSQL has no statistics for a while.
        table = "TABLE items" if url.startswith(("mysql", "mariadb")) else "items"
        db.execute_sql(f"ANALYZE {table}")


def milliseconds(client: httpx2.Client, **parameters: int) -> float:
    """Return the fastest of some requests for a page of 100 items."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        response = client.get("/items/", params={"limit": 100} | parameters)
        times.append(time.perf_counter() - start)
        assert len(response.raise_for_status().json()) == 100  # noqa: S101
    return min(times) * 1000


def main(url: str) -> None:
    """Fill the database at `url`, measure, and print the table."""
    fill(url)
    with (
        serve(url, "--no-access-log") as server,
        httpx2.Client(base_url=server.base_url, timeout=60) as client,
    ):
        milliseconds(client)  # What only the first requests cost.
        print("| depth | `skip`, ms | `after`, ms |\n| ---: | ---: | ---: |")
        for depth in DEPTHS:
            by_skip = milliseconds(client, skip=depth)
            by_after = milliseconds(client, after=depth)
            print(f"| {depth:,} | {by_skip:.1f} | {by_after:.1f} |")


if __name__ == "__main__":
    run(main, sqlite_file)
