"""Failures of a database server under load: the answers, and the stored rows.

`pytest -m slow -rP tests/failures/test_failures.py` prints the figures.
"""

import asyncio
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from peewee import OperationalError

from harness.clients import USER, clients, stored
from harness.server import Server, serve
from harness.servers import DatabaseServer, Mariadb, Postgresql, running
from peewee_app.database import Db
from peewee_app.fastapi_peewee import connector

from ..engines import on
from ..factories import create_app

pytestmark = [pytest.mark.anyio, pytest.mark.slow, on("postgresql", "mariadb")]

KINDS = {"postgresql": Postgresql, "mariadb": Mariadb}


@pytest.fixture
def database(engine: str) -> Iterator[DatabaseServer]:
    """Server for one test to kill and freeze, with a user for the app."""
    with running(KINDS[engine]) as server:
        server.execute("CREATE DATABASE app")
        if engine == "postgresql":
            server.execute("CREATE USER app", "ALTER DATABASE app OWNER TO app")
        else:
            server.execute(
                "CREATE USER app@'127.0.0.1'", "GRANT ALL ON app.* TO app@'127.0.0.1'"
            )
        yield server


@pytest.fixture
def url(database: DatabaseServer, engine: str) -> str:
    return f"{engine}://app@127.0.0.1:{database.port}/app"


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """Yield the app as a process, with short limits, and one user in its database."""
    options = "?statement_timeout=2"
    with (
        serve(url + options, "--no-access-log", DATABASE_POOL_TIMEOUT="2") as server,
        server.client() as client,
    ):
        assert client.post("/users/", json=USER).status_code == 200
        yield server


async def test_the_server_restarts_under_load(
    database: DatabaseServer, server: Server, url: str
) -> None:
    async with clients(server.base_url, 50) as load:
        await asyncio.sleep(3)
        await asyncio.to_thread(database.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(database.start)
        back = time.monotonic()
        await asyncio.sleep(4)
    kept = stored(url, load)
    served = load.written(back)[0] - back
    load.report(
        f"{type(database).__name__} restarted, 50 clients",
        served_again_after=f"{served:.2f} s",
        lost=kept.lost,
        doubled=kept.doubled,
    )
    assert load.statuses()[503]
    assert served < 2
    assert kept.lost == 0
    assert kept.doubled == 0


async def test_the_server_freezes_under_load(
    database: DatabaseServer, server: Server, url: str
) -> None:
    async with (
        clients(server.base_url, 50) as load,
        httpx2.AsyncClient(base_url=server.base_url, timeout=60) as client,
    ):
        await asyncio.sleep(2)
        database.freeze()
        await asyncio.sleep(1)
        times: dict[str, list[float]] = {"/docs": [], "/health": []}
        for _ in range(10):
            for path, seconds in times.items():
                start = time.monotonic()
                assert (await client.get(path)).status_code == 200
                seconds.append(time.monotonic() - start)
        for _ in range(3):
            start = time.monotonic()
            ready = await client.get("/health/ready")
            took = time.monotonic() - start
            assert (ready.status_code, ready.json()["reason"]) == (503, "timeout")
            assert took < 1
        await asyncio.sleep(8)
        database.thaw()
        back = time.monotonic()
        await asyncio.sleep(4)
        assert (await client.get("/health/ready")).status_code == 200
    kept = stored(url, load)
    served = load.written(back)[0] - back
    load.report(
        f"{type(database).__name__} frozen, 50 clients",
        docs=f"{statistics.median(times['/docs']) * 1000:.0f} ms",
        health=f"{statistics.median(times['/health']) * 1000:.0f} ms",
        ready=f"{took:.2f} s",
        served_again_after=f"{served:.2f} s",
        lost=kept.lost,
        doubled=kept.doubled,
    )
    assert statistics.median(times["/docs"]) < 0.1
    assert statistics.median(times["/health"]) < 0.1
    assert load.statuses()[503]
    # A slot, a connection or statement with its client's grace, and a busy machine.
    assert load.slowest < 2 + 5 + 5
    assert kept.lost == 0
    assert kept.doubled == 0


def kill_connections(database: DatabaseServer) -> int:
    """Kill them like an administrator; wait for their end."""
    if isinstance(database, Postgresql):
        gone = "SELECT 1 FROM pg_stat_activity WHERE usename = 'app'"
        killed = database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'app'"
        )
    else:
        gone = "SELECT id FROM information_schema.processlist WHERE user = 'app'"
        killed = database.execute(gone)
        database.execute(*(f"KILL {number}" for (number,) in killed))
    end = time.monotonic() + 10
    while database.execute(gone):
        assert time.monotonic() < end
    return len(killed)


def test_connections_killed_while_idle_reach_no_request(
    database: DatabaseServer, app: FastAPI, client: TestClient
) -> None:
    together = threading.Barrier(3, timeout=20)

    @app.get("/together")
    def at_once(db: Db) -> None:
        db.execute_sql("SELECT 1")
        together.wait()

    killed = 0
    for number in range(20):
        with ThreadPoolExecutor(3) as threads:
            answers = threads.map(client.get, ["/together"] * 3)
            assert [answer.status_code for answer in answers] == [200] * 3
        killed += kill_connections(database)
        user = USER | {"email": f"{number}@example.com"}
        assert client.post("/users/", json=user).status_code == 200
        assert len(client.get("/users/").json()) == number + 1
    print(f"{type(database).__name__}: {killed} idle connections killed, none noticed")
    assert killed >= 60


def test_others_take_all_connections(database: DatabaseServer, url: str) -> None:
    if isinstance(database, Postgresql):
        database.execute("ALTER ROLE app CONNECTION LIMIT 5")
    else:
        database.execute("SET GLOBAL max_connections = 10")
    app = create_app(url)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/users/", json=USER).status_code == 200
        kill_connections(database)
        others = [connector(url)() for _ in range(20)]
        with pytest.raises(OperationalError, match=r"(?i)too many"):
            all(connection.connect() for connection in others)
        response = client.get("/users/")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "busy")
        for connection in others:
            connection.close()
        end = time.monotonic() + 5  # The server takes a moment to notice.
        while client.get("/users/").status_code != 200:
            assert time.monotonic() < end
        time.sleep(1.1)  # The answer is shared for a second.
        assert client.get("/health/ready").status_code == 200


def test_clients_that_disconnect_leave_no_connection_in_use(
    database: DatabaseServer, server: Server
) -> None:
    body = b'{"title": "a"}'
    request = (
        b"POST /users/1/items/ HTTP/1.1\r\nHost: app\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    ) % (len(body), body)
    for number in range(300):
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(request[: -1 - number % 2])
            rude.sendall(request[-1 - number % 2 :])
            if number % 3 == 0:  # RST in place of FIN.
                rude.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                )
    in_use = (
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'"
        if isinstance(database, Postgresql)
        else "SELECT 1 FROM information_schema.processlist"
        " WHERE user = 'app' AND command <> 'Sleep'"
    )
    end = time.monotonic() + 30
    while database.execute(in_use):
        assert time.monotonic() < end
        time.sleep(0.1)
    with server.client() as client:
        for _ in range(20):
            assert client.get("/users/1").status_code == 200
