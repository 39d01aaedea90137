"""SQLite: its limits, its log and its cursors."""

import subprocess
import sys
import tracemalloc
from contextlib import closing
from pathlib import Path

import peewee
import pytest
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import Pool, connector, why_unavailable
from peewee_app.fastapi_peewee.engines.sqlite import LOG_SIZE

from ...engines import on
from .notes import Note, db, note_app

pytestmark = on("sqlite")

# Counts for ever.
ENDLESS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT count(*) FROM n"
)


def test_a_statement_that_would_run_for_ever_gets_a_503(url: str) -> None:
    app, get_db = note_app(f"{url}?statement_timeout=0.2")

    @app.get("/endless", dependencies=[get_db])
    def endless() -> None:
        db.execute_sql(ENDLESS)

    @app.post("/endless", dependencies=[get_db])
    def endless_write() -> None:
        with db.atomic():
            Note.create(text="lost")
            db.execute_sql(
                "INSERT INTO note (text, is_read) "
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT 'a', 0 FROM n WHERE i < 0"
            )

    with TestClient(app) as client:
        for method in ("GET", "POST"):
            response = client.request(method, "/endless")
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            assert client.get("/notes/").json() == []


def test_a_statement_of_a_migration_may_take_its_time(url: str) -> None:
    connect = connector(f"{url}?statement_timeout=0.1")
    count = ENDLESS.replace("FROM n)", "FROM n WHERE i < 2000000)")
    with closing(connect()) as connection:
        connection.connect()
        with pytest.raises(peewee.OperationalError) as stopped:
            connection.execute_sql(count)
        assert why_unavailable(stopped.value) == "timeout"
    with closing(connect(limited=False)) as connection:
        connection.connect()
        assert connection.execute_sql(count).fetchone() == (2_000_000,)


def test_the_log_is_small_again_after_a_long_reader(
    notes: Pool, url: str, database_file: Path
) -> None:
    log = database_file.with_name(f"{database_file.name}-wal")

    def write(count: int) -> None:
        with notes.connection():
            for _ in range(count):
                db.execute_sql("INSERT INTO junk VALUES (zeroblob(1000000))")
                db.execute_sql("DELETE FROM junk")

    with notes.connection():
        db.execute_sql("CREATE TABLE junk (data BLOB)")
    # It stays open: the last connection to close removes the log.
    with closing(connector(url)()) as reader:
        reader.connect()
        with reader.atomic("DEFERRED"):
            reader.execute_sql("SELECT * FROM junk")
            write(40)
            assert log.stat().st_size > 2 * LOG_SIZE
        write(5)
        assert log.stat().st_size <= LOG_SIZE


def test_a_statement_leaves_nothing_behind(notes: Pool) -> None:
    def run(times: int) -> None:
        for _ in range(times):
            Note.get_or_none(text="a")

    with notes.connection():
        run(500)
        tracemalloc.start()
        run(5_000)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert grown < 50_000


USE_IN_MEMORY = """
import gc
from peewee_app.fastapi_peewee import ContextDatabase, connect, connector

db = ContextDatabase()
connect_to = connector("sqlite://")
for sql in "CREATE TABLE notes (id)", "SELECT * FROM notes":
    with connect(db, connect_to):
        db.execute_sql(sql)
del connect_to
gc.collect()
print("done")
"""


def test_a_database_in_memory_leaves_no_connection_open(engine: str) -> None:
    # Python reports one since 3.13.
    command = [sys.executable, "-W", "error", "-c", USE_IN_MEMORY]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("done\n", "")
