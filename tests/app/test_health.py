"""Health: the process, and the database. Servers that hang are in test_failures.py."""

import asyncio
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from harness.clients import clients
from harness.server import serve
from harness.servers import Postgresql, running
from peewee_app import health
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, connector
from peewee_app.fastapi_peewee.engines import sqlite
from peewee_app.health import Readiness
from peewee_app.migrations import migrate
from peewee_app.web.startup import StartupError

from ..databases import locked
from ..engines import on, skip
from ..factories import USER, create_app


@contextmanager
def read_only(url: str, engine: str) -> Iterator[None]:
    """Make the database read-only for a block."""
    switch_on, switch_off = {
        "postgresql": (
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            "ALTER DATABASE {} RESET default_transaction_read_only",
        ),
        "mariadb": ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
    }[engine]
    name = urlsplit(url).path[1:]
    with closing(connector(url)()) as administrator:
        administrator.connect()
        administrator.execute_sql(switch_on.format(name))
        try:
            yield
        finally:
            administrator.execute_sql(switch_off.format(name))


@pytest.fixture
def brief_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share an answer for a tenth of a second."""
    monkeypatch.setattr(health, "SHARED", 0.1)


def test_healthy(client: TestClient) -> None:
    for path in ("/health", "/health/ready"):
        response = client.get(path)
        assert response.status_code == 200
        assert response.json() == {"status": "ok"}


def test_it_is_not_in_the_openapi_document(client: TestClient) -> None:
    assert "health" not in client.get("/openapi.json").text


@on("sqlite")
def test_health_asks_nothing_of_the_database(app: FastAPI) -> None:
    """Do not start the app, so there is none."""
    assert TestClient(app).get("/health").status_code == 200


@pytest.mark.usefixtures("brief_answers")
@on("sqlite")
def test_a_database_that_is_gone(
    client: TestClient, database_file: Path, tmp_path: Path
) -> None:
    database_file.rename(tmp_path / "away.db")
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "unreachable"}
    assert client.get("/health").status_code == 200
    (tmp_path / "away.db").rename(database_file)
    time.sleep(0.2)  # The answer has expired.
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://scott:tiger@127.0.0.1:1/db",
        "mysql://scott:tiger@127.0.0.1:1/db",
    ],
)
def test_the_reason_tells_no_secret(url: str) -> None:
    client = TestClient(create_app(url))
    # The app would not start.
    connect = connector(url)
    pool = Pool(db, connect, size=1, timeout=1)
    client.app_state["readiness"] = Readiness(connect, pool)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "unreachable"}


@pytest.mark.usefixtures("brief_answers")
def test_not_ready_while_requests_can_have_no_thread(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        if thread.name == "peewee slot":
            raise RuntimeError("can't start new thread")
        start_it(thread)

    start_it = threading.Thread.start
    assert client.get("/health/ready").status_code == 200
    pool: Pool = client.app_state["pool"]
    pool.close()  # With its threads, all is well.
    time.sleep(0.2)  # The answer has expired.
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert client.get("/users/").status_code == 503
        assert not_ready(client) == "busy"
    time.sleep(0.2)
    assert client.get("/health/ready").status_code == 200
    assert client.get("/users/").status_code == 200


def not_ready(client: TestClient) -> str:
    response = client.get("/health/ready")
    assert response.status_code == 503
    reason: str = response.json()["reason"]
    return reason


@on("postgresql", "mariadb")
def test_a_server_that_takes_no_writes(app: FastAPI, url: str, engine: str) -> None:
    with TestClient(app) as client:
        assert client.get("/health/ready").status_code == 200
    with read_only(url, engine), TestClient(app) as client:
        assert not_ready(client) == "read-only"
        assert client.get("/users/").status_code == 200


@on("sqlite")
def test_a_file_that_takes_no_writes(
    url: str, client: TestClient, database_file: Path
) -> None:
    """Make the file immutable, since root may write to any other."""
    if os.geteuid():
        database_file.chmod(0o444)
    elif subprocess.run(["chattr", "+i", database_file]).returncode:
        skip("chattr does not work on this file system")
    try:
        assert not_ready(client) == "read-only"
        assert client.get("/users/").status_code == 200
    finally:
        subprocess.run(["chattr", "-i", database_file])


@on("sqlite")
def test_a_disk_that_is_full(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MIN_FREE", 2**62)
    assert not_ready(client) == "full"


@on("sqlite")
def test_another_process_that_writes(client: TestClient, database_file: Path) -> None:
    with locked(database_file):
        assert client.get("/health/ready").status_code == 200


@pytest.mark.anyio
@on("postgresql")
async def test_a_frozen_server_is_asked_once_however_many_ask(engine: str) -> None:
    with running(Postgresql) as database:
        url = database.url("postgres")
        migrate(connector(url))
        pool = Pool(db, connector(url), size=1, timeout=1)
        readiness = Readiness(connector(url), pool)
        assert await readiness.why_not() is None
        threads = threading.active_count()
        await asyncio.sleep(1.1)  # The answer has expired.
        database.freeze()
        for _ in range(2):
            reasons = await asyncio.gather(*(readiness.why_not() for _ in range(150)))
            assert set(reasons) == {"timeout"}
        assert threading.active_count() <= threads
        database.thaw()
        for _ in range(100):
            if await readiness.why_not() is None:
                break
            await asyncio.sleep(0.2)
        rows = database.execute(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'peewee_app'"
        )
        assert len(rows) == 1
        readiness.close()


@pytest.mark.anyio
@pytest.mark.slow
@on("sqlite", "postgresql")
async def test_a_busy_app_stays_ready(url: str) -> None:
    limits = httpx2.Limits(max_connections=None)
    with serve(url, "--no-access-log") as server:
        with server.client() as first:
            assert first.post("/users/", json=USER).status_code == 200
        async with (
            clients(server.base_url, 200),
            httpx2.AsyncClient(
                base_url=server.base_url, timeout=60, limits=limits
            ) as client,
        ):
            await asyncio.sleep(1)
            for _ in range(10):
                assert (await client.get("/health/ready")).json() == {"status": "ok"}
                await asyncio.sleep(0.5)


@on("postgresql", "mariadb")
def test_a_role_that_may_only_read(app: FastAPI, url: str, engine: str) -> None:
    with TestClient(app) as client:  # It makes the tables.
        assert client.get("/health/ready").status_code == 200
    parts = urlsplit(url)
    statements = {
        "postgresql": (
            "CREATE ROLE reader LOGIN",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
            "DROP OWNED BY reader",
            "DROP ROLE reader",
        ),
        "mariadb": (
            "CREATE USER reader@127.0.0.1",
            f"GRANT SELECT ON {parts.path[1:]}.* TO reader@127.0.0.1",
            "DROP USER reader@127.0.0.1",
        ),
    }[engine]
    reader = parts._replace(netloc=f"reader@127.0.0.1:{parts.port}").geturl()
    with closing(connector(url)()) as administrator:
        administrator.connect()
        for statement in statements[:2]:
            administrator.execute_sql(statement)
        try:
            with TestClient(create_app(reader)) as client:
                assert not_ready(client) == "read-only"
                assert client.get("/users/").status_code == 200
        finally:
            for statement in statements[2:]:
                administrator.execute_sql(statement)


@pytest.mark.usefixtures("brief_answers")
@on("sqlite")
def test_a_backup_that_was_put_in_place_while_the_app_runs(
    url: str, app: FastAPI, database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backup = database_file.with_name("backup.db")
    items = "/users/1/items/"
    with TestClient(app) as client:
        client.post("/users/", json=USER)
        with closing(sqlite3.connect(database_file)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        assert client.post(items, json={"title": "after"}).status_code == 200
        assert client.get("/health/ready").status_code == 200
        backup.rename(database_file)
        assert client.post(items, json={"title": "lost"}).status_code == 503
        assert client.get("/users/").status_code == 503
        assert "Stop the app, delete" in caplog.text
        time.sleep(0.2)  # The answer has expired.
        caplog.clear()
        assert not_ready(client) == "replaced"
        assert "Stop the app, delete" in caplog.text
    with pytest.raises(StartupError, match="Stop the app, delete"), TestClient(app):
        pass
    for name in ("-wal", "-shm"):
        database_file.with_name(database_file.name + name).unlink()
    with TestClient(app) as client:
        assert len(client.get("/users/").json()) == 1
        assert client.get("/items/").json() == []
        assert client.post(items, json={"title": "again"}).status_code == 200
        assert client.get("/health/ready").status_code == 200


@on("mariadb")
def test_a_password_that_was_changed(
    app: FastAPI, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skip PostgreSQL, which asks for no password."""
    monkeypatch.setattr(health, "TRIAL_INTERVAL", 0.5)
    user = "scott@127.0.0.1"
    parts = urlsplit(url)
    own = parts._replace(netloc=f"scott:tiger@127.0.0.1:{parts.port}").geturl()
    with closing(connector(url)()) as administrator:
        administrator.connect()
        administrator.execute_sql(f"CREATE USER {user} IDENTIFIED BY 'tiger'")
        administrator.execute_sql(f"GRANT ALL ON {parts.path[1:]}.* TO {user}")
        try:
            with TestClient(create_app(own)) as client:
                assert client.get("/health/ready").status_code == 200
                assert client.get("/users/").status_code == 200
                change = f"SET PASSWORD FOR {user} = PASSWORD('lion')"
                administrator.execute_sql(change)
                # The open connection stays.
                assert client.get("/users/").status_code == 200
                time.sleep(1.1)  # The answer is shared for a second.
                assert not_ready(client) == "unreachable"
                administrator.execute_sql(change.replace("lion", "tiger"))
                time.sleep(1.1)
                assert client.get("/health/ready").status_code == 200
        finally:
            administrator.execute_sql(f"DROP USER {user}")
