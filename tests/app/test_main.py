"""Start and stop."""

import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from harness.server import serve
from peewee_app.fastapi_peewee import connector

from ..engines import on
from ..factories import USER, create_app


@on("sqlite", slow=["postgresql", "mariadb"])
def test_what_was_written_is_there_after_a_restart(url: str) -> None:
    with (
        serve(url) as server,
        server.client() as client,
    ):
        user = client.post("/users/", json=USER).json()
        item = client.post("/users/1/items/", json={"title": "Foo"}).json()
        server.stop()
    with (
        serve(url) as server,
        server.client() as client,
    ):
        assert client.get("/users/").json() == [{**user, "items": [item]}]
        assert client.get("/items/").json() == [item]


@on("sqlite")
def test_a_clean_stop_closes_every_connection(url: str, database_file: Path) -> None:
    with (
        serve(url) as server,
        server.client() as client,
    ):
        assert client.post("/users/", json=USER).status_code == 200
        assert Path(f"{database_file}-wal").exists()
        log = server.stop()
    assert "Application shutdown complete." in log
    # The last connection to close takes SQLite's write-ahead log with it.
    assert [file.name for file in database_file.parent.iterdir()] == ["test.db"]


@on("postgresql", "mariadb")
def test_a_clean_stop_leaves_no_connection_to_a_server(url: str, engine: str) -> None:
    with (
        serve(url) as server,
        server.client() as client,
    ):
        assert client.post("/users/", json=USER).status_code == 200
        log = server.stop()
    assert "Application shutdown complete." in log
    connections = {
        "postgresql": "pg_stat_activity WHERE datname = current_database()",
        "mariadb": "information_schema.processlist WHERE db = DATABASE()",
    }
    with closing(connector(url)()) as connection:
        connection.connect()
        sql = f"SELECT count(*) FROM {connections[engine]}"
        end = time.monotonic() + 5  # The server takes a moment to notice.
        while connection.execute_sql(sql).fetchone() != (1,):  # This one.
            assert time.monotonic() < end


@on("sqlite")
def test_nothing_is_opened_before_the_start(app: FastAPI, database_file: Path) -> None:
    assert not database_file.exists()
    with TestClient(app):
        assert database_file.exists()


def test_an_app_can_be_started_again(app: FastAPI) -> None:
    for status in (200, 400):
        with TestClient(app) as client:
            assert client.post("/users/", json=USER).status_code == status


def test_two_apps_in_one_process_have_a_database_each(tmp_path: Path) -> None:
    apps = [create_app(f"sqlite:///{tmp_path}/{n}") for n in range(2)]
    with TestClient(apps[0]) as one, TestClient(apps[1]) as other:
        assert one.post("/users/", json=USER).status_code == 200
        assert other.get("/users/").json() == []


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_workers_that_start_together_on_an_empty_database(
    url: str, attempt: int
) -> None:
    with (
        serve(url, "--workers", "8") as server,
        server.client() as client,
    ):
        assert client.post("/users/", json=USER).status_code == 200
        while server.log.count("Application startup complete.") < 8:
            assert server.process.poll() is None, server.log
            time.sleep(0.02)
        log = server.stop()
    assert "ERROR" not in log
    applied = re.findall("Applied the migration (.+)", log)
    assert len(applied) == len(set(applied)) > 0
    with closing(connector(url)()) as connection:
        connection.connect()
        assert {"items", "users"} <= set(connection.get_tables())


def test_importing_the_package_reads_no_setting() -> None:
    code = "import peewee_app.routes, peewee_app.models"
    environment = {"DATABASE_URL": "wrong"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@on("sqlite")
def test_the_log_names_the_database(url: str) -> None:
    with serve(url) as server:
        assert httpx2.get(f"{server.base_url}/health", timeout=60).status_code == 200
        log = server.stop()
    assert f"Database: {url}" in log


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_that_have_a_database_each_are_warned_of(workers: int) -> None:
    with serve("sqlite://", "--workers", str(workers)) as server:
        assert httpx2.get(f"{server.base_url}/health", timeout=60).status_code == 200
        log = server.stop()
    assert ("each of several workers has one of its own" in log) == (workers > 1)
