"""PgBouncer between the app and its server, with its default settings.

`pytest -rP tests/failures/test_pgbouncer.py` prints the figures.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi.testclient import TestClient
from peewee import OperationalError

from harness.clients import USER, clients, stored
from harness.server import Server, serve
from harness.servers import PgBouncer, Postgresql, running
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import Item, User

from ..factories import create_app

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    with running(Postgresql) as server:
        server.execute("CREATE USER app")
        yield server


@pytest.fixture(params=["transaction", pytest.param("session", marks=pytest.mark.slow)])
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def settings() -> dict[str, str]:
    """PgBouncer's, beside the mode."""
    return {}


@pytest.fixture
def pgbouncer(
    database: Postgresql, mode: str, settings: dict[str, str]
) -> Iterator[PgBouncer]:
    database.execute(
        "DROP DATABASE IF EXISTS app WITH (FORCE)", "CREATE DATABASE app OWNER app"
    )
    with running(
        lambda directory: PgBouncer(
            directory, database, "app", pool_mode=mode, **settings
        )
    ) as server:
        yield server


@pytest.fixture
def url(pgbouncer: PgBouncer) -> str:
    return f"postgresql://app@127.0.0.1:{pgbouncer.port}/app"


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    app = create_app(url)
    with TestClient(app) as client:
        yield client


def test_every_route(client: TestClient) -> None:
    user = client.post("/users/", json=USER).json()
    mine = f"/users/{user['id']}"
    # Often enough for psycopg to prepare each statement.
    for number in range(8):
        item = client.post(f"{mine}/items/", json={"title": "a"}).json()
        item = client.patch(f"/items/{item['id']}", json={"title": "b"}).json()
        assert item["title"] == "b"
        assert client.patch(mine, json={"is_active": True}).status_code == 200
        assert client.get(mine).json()["items"][number] == item
        assert client.get(f"{mine}/items/").json()[number] == item
        assert client.get("/users/").json()[0]["items"][number] == item
        assert client.get("/items/").json()[number] == item
    assert client.delete(f"/items/{item['id']}").status_code == 204
    assert client.delete(mine).status_code == 204
    assert client.get("/users/").json() == []
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("settings", [{"ignore_startup_parameters": "options"}, {}])
def test_requests_at_once(client: TestClient) -> None:
    """Mix their statements on the same sessions, in transaction mode."""
    assert client.post("/users/", json=USER).status_code == 200
    with ThreadPoolExecutor(8) as threads:
        responses = threads.map(lambda _: client.get("/users/1"), range(400))
    assert Counter(r.status_code for r in responses) == {200: 400}


@pytest.mark.parametrize("settings", [{"default_pool_size": "1"}])
@pytest.mark.parametrize("mode", ["transaction"])
def test_sessions_of_the_server_are_left_as_they_were(url: str) -> None:
    """Share the only session with other programs."""
    with connect(db, connector(f"{url}?statement_timeout=1")):
        migrate(connector(f"{url}?statement_timeout=1"))
        for _ in range(10):
            assert User.select().count() == 0
        left = db.execute_sql(
            "SELECT current_setting('statement_timeout'),"
            " (SELECT COUNT(*) FROM pg_prepared_statements),"
            " (SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory')"
        )
        assert left.fetchall() == [("0", 0, 0)]


def running_statements(database: Postgresql) -> int:
    (row,) = database.execute(
        "SELECT COUNT(*) FROM pg_stat_activity"
        " WHERE usename = 'app' AND state <> 'idle'"
    )
    count: int = row[0]
    return count


def test_a_statement_that_takes_too_long_ends_on_the_server_too(
    database: Postgresql, url: str
) -> None:
    with connect(db, connector(f"{url}?statement_timeout=0.5")):
        for _ in range(3):
            with pytest.raises(OperationalError, match="canceling statement"):
                db.execute_sql("SELECT pg_sleep(60)")
            assert running_statements(database) == 0
            assert db.execute_sql("SELECT 1").fetchall() == [(1,)]
        db.begin()
        db.execute_sql("CREATE TABLE t (id INTEGER)")
        with pytest.raises(OperationalError, match="canceling statement"):
            db.execute_sql("SELECT pg_sleep(60)")
        db.rollback()
        assert db.get_tables() == []


def test_a_server_that_freezes_does_not_take_the_pooler_with_it(
    database: Postgresql, url: str
) -> None:
    with connect(db, connector(f"{url}?statement_timeout=0.5")):
        assert db.execute_sql("SELECT 1").fetchall() == [(1,)]
        database.freeze()
        begin = time.monotonic()
        try:
            with pytest.raises(OperationalError):
                db.execute_sql("SELECT 1")
            assert time.monotonic() - begin < 2
        finally:
            database.thaw()
    time.sleep(0.5)  # Until the server has been told to cancel the statement.
    with connect(db, connector(url)):
        assert db.execute_sql("SELECT 1").fetchall() == [(1,)]


def test_a_migration_may_take_longer_than_a_request(url: str) -> None:
    connection = connector(f"{url}?statement_timeout=0.2")(limited=False)
    with connect(db, lambda: connection):
        db.execute_sql("SELECT pg_sleep(1.5)")


@pytest.mark.parametrize("settings", [{"default_pool_size": "3"}, {}])
def test_processes_that_start_together_migrate_once(
    url: str, mode: str, settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Start more than the pooler lets in at once."""
    errors: list[BaseException] = []
    ready = threading.Barrier(8)

    def start() -> None:
        try:
            ready.wait()
            migrate(connector(url))
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert caplog.text.count("Applied the migration 0001_initial") == 1


# In session mode each connection of a worker keeps one of the server's: 8 * (2 + 1).
@pytest.mark.parametrize("settings", [{"default_pool_size": "24"}])
@pytest.mark.slow
async def test_eight_workers_that_start_together(url: str) -> None:
    with serve(
        url, "--no-access-log", "--workers", "8", DATABASE_POOL_SIZE="2"
    ) as server:
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=60) as client:
            assert (await client.post("/users/", json=USER)).status_code == 200
        async with clients(server.base_url, 20) as load:
            await asyncio.sleep(5)
        log = server.stop()
    assert log.count("Applied the migration 0001_initial") == 1
    assert load.statuses().keys() == {200}
    assert stored(url, load).lost == 0


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """Yield the app as a process, with short limits, and one user in its database."""
    with (
        serve(
            f"{url}?statement_timeout=2",
            "--no-access-log",
            DATABASE_POOL_TIMEOUT="2",
        ) as server,
        server.client() as client,
    ):
        assert client.post("/users/", json=USER).status_code == 200
        yield server


@pytest.mark.slow
async def test_two_hundred_clients(url: str, mode: str) -> None:
    """Use the app's default limits."""
    with serve(url, "--no-access-log") as server:
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=60) as client:
            assert (await client.post("/users/", json=USER)).status_code == 200
        async with clients(server.base_url, 200) as load:
            await asyncio.sleep(10)
        assert "ERROR" not in server.stop()
    load.report(f"PgBouncer in {mode} mode, 200 clients")
    assert load.statuses().keys() == {200}
    assert stored(url, load).lost == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "mode"),
    [
        ("PgBouncer restarted", "transaction"),
        ("PgBouncer restarted", "session"),
        ("server restarted", "transaction"),
        ("server restarted", "session"),
        # In session mode PAUSE waits for the app to close its connections.
        ("PgBouncer paused", "transaction"),
    ],
)
async def test_a_failure_under_load(
    failure: str,
    mode: str,
    database: Postgresql,
    pgbouncer: PgBouncer,
    server: Server,
    url: str,
) -> None:
    """Accept 200 and 503 only."""
    async with clients(server.base_url, 50) as load:
        await asyncio.sleep(2)
        if failure == "PgBouncer paused":
            await asyncio.to_thread(pgbouncer.execute, "PAUSE")
            await asyncio.sleep(5)
            await asyncio.to_thread(pgbouncer.execute, "RESUME")
        else:
            broken = pgbouncer if failure == "PgBouncer restarted" else database
            await asyncio.to_thread(broken.stop)
            await asyncio.sleep(1)
            broken.start()  # In a thread, it would end with it.
        back = time.monotonic()
        # PgBouncer's server_login_retry is 15 s.
        while not load.written(since=back + 2):
            assert time.monotonic() < back + 30
            await asyncio.sleep(0.1)
    kept = stored(f"postgresql://app@127.0.0.1:{database.port}/app", load)
    served = load.written(back)[0] - back
    load.report(
        f"{failure}, {mode} mode, 50 clients",
        served_again_after=f"{served:.2f} s",
        lost=kept.lost,
        doubled=kept.doubled,
    )
    assert load.statuses()[503]
    assert kept.lost == 0
    assert kept.doubled == 0


@pytest.mark.parametrize("settings", [{"max_client_conn": "3"}])
def test_a_pooler_that_is_full_is_busy(client: TestClient, url: str) -> None:
    assert client.post("/users/", json=USER).status_code == 200
    with connect(db, connector(url)):
        assert Item.select().count() == 0
        with connect(db, connector(url)):
            assert Item.select().count() == 0
            ready = client.get("/health/ready")
            assert (ready.status_code, ready.json()["reason"]) == (503, "busy")
    end = time.monotonic() + 5  # PgBouncer takes a moment to notice.
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < end
