"""Connections: limits, settings of a session, and retries."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import peewee
import pytest
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import (
    Pool,
    connect,
    connector,
    why_unavailable,
)
from peewee_app.fastapi_peewee.transactions import ATTEMPTS

from ...engines import on
from .notes import Note, db, note_app

SERVERS = on("postgresql", "mariadb")


@SERVERS
def test_a_slow_statement_is_stopped_by_the_server(url: str, engine: str) -> None:
    connect_to = connector(f"{url}?statement_timeout=0.5")
    sleep = "pg_sleep" if engine == "postgresql" else "SLEEP"
    start = time.monotonic()
    with connect(db, connect_to), pytest.raises(peewee.OperationalError) as stopped:
        db.execute_sql(f"SELECT {sleep}(20)")
    assert time.monotonic() - start < 10
    assert why_unavailable(stopped.value) == "timeout"


SETTINGS = {
    "sqlite": ("PRAGMA foreign_keys = 0", "PRAGMA foreign_keys"),
    "postgresql": ("set statement_timeout = 0", "SHOW statement_timeout"),
    "mariadb": ("SET max_statement_time = 0", "SELECT @@max_statement_time"),
}


def test_a_setting_of_the_session_ends_with_the_request(url: str, engine: str) -> None:
    app, get_db = note_app(url)
    change, show = SETTINGS[engine]

    @app.put("/setting", dependencies=[get_db])
    def put() -> str:
        db.execute_sql(change)
        return str(db.execute_sql(show).fetchone())

    @app.get("/setting", dependencies=[get_db])
    def get() -> str:
        return str(db.execute_sql(show).fetchone())

    with TestClient(app) as client:
        before = client.get("/setting").text
        assert client.put("/setting").text != before
        assert client.get("/setting").text == before


def test_only_what_sets_something_costs_the_connection(
    notes: Pool, engine: str
) -> None:
    """Keep it after the app's own settings, and a transaction's."""
    with notes.connection():
        assert not db.is_spoilt
        with db.atomic():
            if engine == "postgresql":
                db.execute_sql("SET LOCAL work_mem = '5MB'")
            Note.create(text="set x = 1")
        assert Note.get_or_none(text="set x = 1")
        assert not db.is_spoilt
        db.execute_sql(SETTINGS[engine][1])
        assert not db.is_spoilt
        db.execute_sql(SETTINGS[engine][0])
        assert db.is_spoilt


@SERVERS
def test_a_lock_is_not_waited_for_forever(url: str) -> None:
    app, _ = note_app(f"{url}?statement_timeout=1")
    with TestClient(app) as client:
        with connect(db, connector(url)), db.atomic() as transaction:
            Note.create(text="a")
            response = client.post("/notes/?text=a")
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            transaction.rollback()
        assert client.post("/notes/?text=a").status_code == 200


@pytest.fixture
def two_rows(notes: Pool) -> Iterator[None]:
    with notes.connection():
        for name in ("one", "two"):
            Note.create(text=name)
        yield


def update_crosswise(
    url: str, transaction: Callable[[Callable[[], None]], None]
) -> list[peewee.OperationalError]:
    """Take two rows crosswise in two transactions; return the errors of the losers."""
    together = threading.Barrier(2, timeout=20)
    lost: list[peewee.OperationalError] = []

    def update(names: tuple[str, str]) -> None:
        seen: set[str] = set()

        def both() -> None:
            for name in names:
                Note.update(is_read=True).where(Note.text == name).execute()
                if not seen:
                    seen.add(name)
                    together.wait()

        with connect(db, connector(url)):
            try:
                transaction(both)
            except peewee.OperationalError as exc:
                lost.append(exc)

    orders = [("one", "two"), ("two", "one")]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(update, orders))
    return lost


@pytest.mark.usefixtures("two_rows")
@SERVERS
def test_a_deadlock_is_raised_inside_a_transaction(url: str) -> None:
    def transaction(both: Callable[[], None]) -> None:
        with db.atomic():
            both()

    (error,) = update_crosswise(url, transaction)
    assert "deadlock" in str(error).lower()
    assert why_unavailable(error) == "busy"


@pytest.mark.usefixtures("two_rows")
@SERVERS
def test_a_function_that_is_a_transaction_runs_again_after_a_deadlock(url: str) -> None:
    assert update_crosswise(url, lambda both: db.atomic()(both)()) == []
    with connect(db, connector(url)):
        assert Note.select().where(~Note.is_read).count() == 0


@pytest.mark.usefixtures("two_rows")
@SERVERS
def test_it_does_not_run_again_within_another_transaction(url: str) -> None:
    def transaction(both: Callable[[], None]) -> None:
        with db.atomic():
            db.atomic()(both)()

    assert len(update_crosswise(url, transaction)) == 1


# A function that fails like a conflict before its n-th try.
CONFLICTS = {
    "postgresql": (
        "CREATE SEQUENCE tries",
        "CREATE FUNCTION conflict(times int) RETURNS int LANGUAGE plpgsql AS $$"
        "BEGIN IF nextval('tries') < times THEN RAISE SQLSTATE '40001'; END IF;"
        " RETURN times; END $$",
        "SELECT last_value FROM tries",
    ),
    "mariadb": (
        "SET @tries = 0",
        "CREATE FUNCTION conflict(times int) RETURNS int DETERMINISTIC "
        "BEGIN SET @tries = @tries + 1; IF @tries < times THEN"
        " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF;"
        " RETURN times; END",
        "SELECT @tries",
    ),
}


@SERVERS
def test_a_statement_that_was_rolled_back_is_tried_again_a_few_times(
    notes: Pool, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    *setup, count = CONFLICTS[engine]
    code = {"postgresql": "40001", "mariadb": 1213}[engine]
    with notes.connection():
        for statement in setup:
            db.execute_sql(statement)
        caplog.clear()
        assert db.execute_sql(f"SELECT conflict({ATTEMPTS})").fetchone() == (ATTEMPTS,)
        assert {record.getMessage() for record in caplog.records} == {
            f"rolled back, running it again: OperationalError {code}"
        }
        with pytest.raises(peewee.OperationalError) as raised:
            db.execute_sql("SELECT conflict(1000)")
        assert why_unavailable(raised.value) == "busy"
        assert db.execute_sql(count).fetchone() == (2 * ATTEMPTS,)
        # In a transaction, earlier writes would be lost.
        with pytest.raises(peewee.OperationalError), db.atomic():
            db.execute_sql("SELECT conflict(1000)")
        db.begin()
        with pytest.raises(peewee.OperationalError):
            db.execute_sql("SELECT conflict(1000)")
        db.rollback()
        assert db.execute_sql(count).fetchone() == (2 * ATTEMPTS + 2,)
