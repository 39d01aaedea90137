"""What greenlets on the event loop would give in place of threads, on PostgreSQL.

    python -m comparison.on_the_loop postgresql://user@host/db [SECONDS]

prints two tables in Markdown, in a minute and a half; with fewer SECONDS for each
figure than 0.5, sooner. 16 callers at once run plain Peewee in several ways, which take
turns, in one process and without HTTP. CPU is that of this process with its threads,
and not the server's. The user must be allowed to create a database, which is gone
afterwards.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager as opened
from contextvars import ContextVar
from functools import lru_cache, partial
from itertools import count, cycle
from operator import truediv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import uvloop
from peewee import PostgresqlDatabase
from playhouse import pwasyncio

from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import MakeConnection, Pool, connector, read, run
from peewee_app.fastapi_peewee.transactions import in_snapshot
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from .databases import fill, fresh_database
from .floor_app.database import POSTGRESQL_CONNECTIONS, Postgresql
from .floor_app.main import ITEMS_OF_USER, USER_BY_ID
from .floor_app.main import NEW_ITEM as INSERT_ITEM
from .markdown import TIMES, number, table

ROUNDS, CALLERS = 9, 16
# As many more users get the new items, and are not read.
USERS, ITEMS_PER_USER = 1000, 5
NEW = schemas.ItemCreate(title="Foo", description="The Foo Wrestlers")
BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ"
JOBS = ONE_USER, SNAPSHOT, NEW_ITEM = "one user", "one user in a snapshot", "new item"

Job = Callable[[], Any]
# Does one of the JOBS, given the id of a user.
Call = Callable[[int], Awaitable[Any]]
# A way to do them, while it is open.
Way = AbstractAsyncContextManager[dict[str, Call]]
Calls = AsyncIterator[dict[str, Call]]
# The CPU of a call in ms, and the calls per second.
Sample = tuple[float, float]

_connection: ContextVar[Any] = ContextVar("connection")


def by_peewee(
    run: Callable[[Job], Awaitable[Any]], snapshot: Callable[[Job], Any]
) -> dict[str, Call]:
    """The jobs as the app does them, in plain Peewee, which `run` runs."""

    def one_user(user_id: int) -> Any:
        return read(schemas.User, crud.get_user(user_id))

    def new_item(user_id: int) -> Any:
        return read(schemas.Item, crud.create_user_item(NEW, USERS + user_id))

    return {
        ONE_USER: lambda n: run(partial(one_user, n)),
        SNAPSHOT: lambda n: run(partial(snapshot, partial(one_user, n))),
        NEW_ITEM: lambda n: run(partial(new_item, n)),
    }


def in_transaction(job: Job) -> Any:
    """What the job returns, run in one transaction."""
    User._meta.database.execute_sql(BEGIN)
    answer = job()
    User._meta.database.execute_sql("COMMIT")
    return answer


@opened
async def threads(connect: MakeConnection, snapshot: Callable[[Job], Any]) -> Calls:
    """The app's pool, of the connections that `connect` makes."""
    pool = Pool(db, connect, size=POSTGRESQL_CONNECTIONS, timeout=60)

    async def on_a_thread(job: Job) -> Any:
        async with pool.request():
            return await run(job)

    yield by_peewee(on_a_thread, snapshot)
    pool.close()


@opened
async def extension(url: str) -> Calls:
    """Peewee's own extension, as it is."""
    database = pwasyncio.AsyncPostgresqlDatabase(url, pool_size=POSTGRESQL_CONNECTIONS)

    async def in_a_greenlet(job: Job) -> Any:
        async with database:
            return await database.run(job)

    def snapshot(job: Job) -> Any:
        with database.atomic(isolation="repeatable_read"):
            return job()

    with database.bind_ctx([User, Item]):
        yield by_peewee(in_a_greenlet, snapshot)
    await database.close_pool()


@lru_cache
def numbered(sql: str) -> str:
    """The SQL with asyncpg's placeholders."""
    numbers = count(1)
    return re.sub("%s", lambda _match: f"${next(numbers)}", sql)


class Bridge(PostgresqlDatabase):
    """The least that plain Peewee needs on asyncpg: each statement is awaited."""

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        rows = pwasyncio.await_(_connection.get().fetch(numbered(sql), *params or ()))
        names = rows[0].keys() if rows else ()
        return pwasyncio.CursorAdapter(rows, description=[(name,) for name in names])


@opened
async def bridge(url: str) -> Calls:
    """The bridge, with as many connections as the others, and nothing else."""
    idle: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
    for _ in range(POSTGRESQL_CONNECTIONS):
        idle.put_nowait(await asyncpg.connect(url))

    async def in_a_greenlet(job: Job) -> Any:
        connection = await idle.get()
        try:
            _connection.set(connection)
            return await pwasyncio.greenlet_spawn(job)
        finally:
            idle.put_nowait(connection)

    with Bridge(None).bind_ctx([User, Item]):
        yield by_peewee(in_a_greenlet, in_transaction)
    while not idle.empty():
        await idle.get_nowait().close()


@opened
async def driver(url: str) -> Calls:
    """The rows from asyncpg, by the SQL of the comparison's floor."""
    database = Postgresql(url)
    await database.open()

    def answer(*queries: tuple[str, tuple[Any, ...]]) -> Awaitable[Any]:
        return database.answer(lambda *rows: rows, *queries)

    def one_user(n: int) -> Any:
        return (USER_BY_ID, (n,)), (ITEMS_OF_USER, (n,))

    new = NEW.title, NEW.description
    yield {
        ONE_USER: lambda n: answer(*one_user(n)),
        SNAPSHOT: lambda n: answer((BEGIN, ()), *one_user(n), ("COMMIT", ())),
        NEW_ITEM: lambda n: answer((INSERT_ITEM, (*new, USERS + n))),
    }
    await database.close()


async def measure(call: Call, seconds: float) -> Sample:
    """What the calls cost that 16 callers make in so many seconds."""
    users, calls = cycle(range(1, USERS + 1)), 0
    start, cpu = time.perf_counter(), time.process_time()

    async def caller() -> None:
        nonlocal calls
        while time.perf_counter() < start + seconds:
            await call(next(users))
            calls += 1

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    spent, took = time.process_time() - cpu, time.perf_counter() - start
    return spent * 1000 / calls, calls / took


def ways_on(url: str) -> dict[str, Callable[[], Way]]:
    """What is compared, on the database at the URL."""
    plain = partial(PostgresqlDatabase, url, prefer_psycopg3=True, thread_safe=False)
    snapshot = partial(in_snapshot, db)
    return {
        "threads, the app's psycopg": lambda: threads(connector(url), snapshot),
        "threads, Peewee's psycopg": lambda: threads(plain, in_transaction),
        "greenlets, pwasyncio": lambda: extension(url),
        "greenlets, a bare bridge": lambda: bridge(url),
        "asyncpg, no ORM": lambda: driver(url),
    }


async def measure_all(url: str, seconds: float) -> dict[str, dict[str, list[Sample]]]:
    """Samples of each way and job, one of each round."""
    ways = ways_on(url)
    samples = {way: {job: list[Sample]() for job in JOBS} for way in ways}
    for n in range(ROUNDS):
        for way in [*ways][:: -1 if n % 2 else 1]:
            async with ways[way]() as calls:
                for job in JOBS:
                    await measure(calls[job], seconds / 5)  # To warm up.
                    samples[way][job].append(await measure(calls[job], seconds))
    return samples


def tables(samples: dict[str, dict[str, list[Sample]]]) -> Iterator[str]:
    """Medians, and in brackets those of the ratios to the first way."""
    first, *_ = samples.values()
    for figure, name in enumerate(("CPU, ms", "calls/s")):
        rows = []
        for way, jobs in samples.items():
            rows.append([way])
            for job in JOBS:
                own, ours = ([s[figure] for s in x[job]] for x in (jobs, first))
                times = median(map(truediv, own, ours))
                rows[-1].append(f"{number(median(own))} ({number(times)} {TIMES})")
        yield table([name, *JOBS], rows)


def main(server_url: str, seconds: float = 0.5) -> None:
    """Measure, and print the tables."""
    with (
        TemporaryDirectory() as folder,
        fresh_database(server_url, Path(folder)) as url,
    ):
        migrate(connector(url))
        fill(url, 2 * USERS, ITEMS_PER_USER)
        print(*tables(uvloop.run(measure_all(url, seconds))), sep="\n\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
