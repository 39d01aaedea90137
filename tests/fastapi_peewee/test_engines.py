"""Engines: their URLs, their limits, and how text compares on them."""

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import peewee
import psycopg
import pymysql
import pytest
from fastapi.testclient import TestClient

from peewee_app import crud
from peewee_app.database import Db, db
from peewee_app.fastapi_peewee import Pool, connect, connector, engines
from peewee_app.fastapi_peewee.engines.errors import why_unavailable
from peewee_app.fastapi_peewee.engines.sqlite import LOG_SIZE
from peewee_app.fastapi_peewee.transactions import ATTEMPTS
from peewee_app.main import create_app
from peewee_app.models import User
from peewee_app.settings import Settings

from ..engines import on

SERVERS = on("postgresql", "mariadb")


def one(url: str, sql: str) -> object:
    with closing(connector(url)()) as connection:
        connection.connect()
        return connection.execute_sql(sql).fetchone()[0]


# URLs.


@pytest.mark.parametrize("password", ["p@ss:w/rd?#[%", "pässwörd€", "a+b c"])
@SERVERS
def test_percent_encoded_passwords(url: str, engine: str, password: str) -> None:
    name = "user@home"
    with closing(connector(url)()) as administrator:
        administrator.connect()
        if engine == "postgresql":
            administrator.execute_sql(f'DROP ROLE IF EXISTS "{name}"')
            administrator.execute_sql(f'CREATE ROLE "{name}" LOGIN')
        else:
            administrator.execute_sql(f"DROP USER IF EXISTS '{name}'@'127.0.0.1'")
            administrator.execute_sql(
                f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY %s", (password,)
            )
            administrator.execute_sql(f"GRANT ALL ON *.* TO '{name}'@'127.0.0.1'")
        parts = urlsplit(url)
        credentials = f"{quote(name, safe='')}:{quote(password, safe='')}"
        other = parts._replace(netloc=f"{credentials}@{parts.hostname}:{parts.port}")
        assert one(other.geturl(), "SELECT CURRENT_USER") in (name, f"{name}@127.0.0.1")
        if engine == "mariadb":  # PostgreSQL in the tests asks for no password.
            wrong = other.geturl().replace(quote(password, safe=""), "tiger")
            with pytest.raises(peewee.OperationalError) as refused:
                one(wrong, "SELECT 1")
            assert "tiger" not in str(refused.value)
            administrator.execute_sql(f"DROP USER '{name}'@'127.0.0.1'")
        else:
            with closing(connector(other.geturl())()) as connection:
                assert connection.connection().info.password == password
            administrator.execute_sql(f'DROP ROLE "{name}"')


@SERVERS
def test_other_spellings_of_the_scheme(url: str, engine: str) -> None:
    other = {"postgresql": "postgres", "mariadb": "mariadb"}[engine]
    assert one(f"{other}:{url.partition(':')[2]}", "SELECT 1") == 1


@SERVERS
def test_options_go_to_the_driver(url: str, engine: str) -> None:
    if engine == "postgresql":
        options = "application_name=mine&options=-c%20work_mem%3D5MB"
        sql = (
            "SELECT current_setting('application_name') || current_setting('work_mem')"
        )
        assert one(f"{url}?{options}", sql) == "mine5MB"
        with pytest.raises(peewee.OperationalError, match="SSL"):
            one(f"{url}?sslmode=require", "SELECT 1")
    else:
        assert one(f"{url}?charset=latin1", "SELECT @@character_set_client") == "latin1"
        with pytest.raises(peewee.OperationalError, match="SSL"):
            one(f"{url}?ssl_verify_cert=true", "SELECT 1")


@on("mariadb")
def test_a_socket_in_the_file_system(url: str) -> None:
    path = one(url, "SELECT @@socket")
    with closing(connector(f"{url}?unix_socket={path}")()) as connection:
        connection.connect()
        assert connection.execute_sql("SELECT 1").fetchone() == (1,)
        assert connection.is_connection_usable()


@on("postgresql")
def test_several_hosts_are_tried_in_turn(url: str) -> None:
    parts = urlsplit(url)
    hosts = f"127.0.0.1:1,{parts.hostname}:{parts.port}"
    several = parts._replace(netloc=f"{parts.username}@{hosts}").geturl()
    several += "?target_session_attrs=read-write"
    assert one(several, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://host/db", "psycopg", "peewee_app[postgres]"),
        ("mysql://host/db", "pymysql", "peewee_app[mysql]"),
        ("mariadb://host/db", "pymysql", "peewee_app[mysql]"),
    ],
)
def test_a_missing_driver_says_what_to_install(
    url: str, driver: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("postgresql", "mysql"):
        monkeypatch.delitem(sys.modules, f"{engines.__name__}.{module}", raising=False)
        monkeypatch.delattr(engines, module, raising=False)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ValueError, match="pip install") as raised:
        connector(url)
    assert extra in str(raised.value)


# Limits.


@SERVERS
def test_a_slow_statement_is_stopped_by_the_server(url: str, engine: str) -> None:
    connect_to = connector(f"{url}?statement_timeout=0.5")
    sleep = "pg_sleep" if engine == "postgresql" else "SLEEP"
    start = time.monotonic()
    with connect(db, connect_to), pytest.raises(peewee.OperationalError) as stopped:
        db.execute_sql(f"SELECT {sleep}(20)")
    assert time.monotonic() - start < 10
    assert why_unavailable(stopped.value) == "timeout"


# It would count for ever.
ENDLESS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT count(*) FROM n"
)


@on("sqlite")
def test_a_statement_that_would_run_for_ever_gets_a_503(url: str) -> None:
    settings = Settings.model_validate({"database_url": f"{url}?statement_timeout=0.2"})
    app = create_app(settings)

    @app.get("/endless")
    def endless(db: Db) -> None:
        db.execute_sql(ENDLESS)

    @app.post("/endless")
    def endless_write(db: Db) -> None:
        with db.atomic():
            User.create(email="lost@example.com", hashed_password="")
            db.execute_sql(
                "INSERT INTO users (email, hashed_password) "
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT 'a', 'b' FROM n WHERE i < 0"
            )

    with TestClient(app) as client:
        for method in ("GET", "POST"):
            response = client.request(method, "/endless")
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            assert client.get("/users/").json() == []


@on("sqlite")
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


# What one request sets for its session, the next one does not find.


SETTINGS = {
    "sqlite": ("PRAGMA foreign_keys = 0", "PRAGMA foreign_keys"),
    "postgresql": ("set statement_timeout = 0", "SHOW statement_timeout"),
    "mariadb": ("SET max_statement_time = 0", "SELECT @@max_statement_time"),
}


def test_a_setting_of_the_session_ends_with_the_request(url: str, engine: str) -> None:
    app = create_app(Settings.model_validate({"database_url": url}))
    change, show = SETTINGS[engine]

    @app.put("/setting")
    def put(db: Db) -> str:
        db.execute_sql(change)
        return str(db.execute_sql(show).fetchone())

    @app.get("/setting")
    def get(db: Db) -> str:
        return str(db.execute_sql(show).fetchone())

    with TestClient(app) as client:
        before = client.get("/setting").text
        assert client.put("/setting").text != before
        assert client.get("/setting").text == before


def test_only_what_sets_something_costs_the_connection(pool: Pool, engine: str) -> None:
    """Not what the app itself does, nor what is set for a transaction only."""
    with pool.connection():
        assert not db.session_is_set
        with db.atomic():
            if engine == "postgresql":
                db.execute_sql("SET LOCAL work_mem = '5MB'")
            User.create(email="set x = 1", hashed_password="")
        assert crud.get_user(1)
        assert not db.session_is_set
        db.execute_sql(SETTINGS[engine][1])
        assert not db.session_is_set
        db.execute_sql(SETTINGS[engine][0])
        assert db.session_is_set


@on("sqlite")
def test_the_log_is_small_again_after_a_long_reader(
    pool: Pool, url: str, database_file: Path
) -> None:
    log = database_file.with_name(f"{database_file.name}-wal")

    def write(count: int) -> None:
        with pool.connection():
            for _ in range(count):
                db.execute_sql("INSERT INTO junk VALUES (zeroblob(1000000))")
                db.execute_sql("DELETE FROM junk")

    with pool.connection():
        db.execute_sql("CREATE TABLE junk (data BLOB)")
    # It stays open: the last connection that is closed takes the log away.
    with closing(connector(url)()) as reader:
        reader.connect()
        with reader.atomic("DEFERRED"):
            reader.execute_sql("SELECT * FROM junk")
            write(40)
            assert log.stat().st_size > 2 * LOG_SIZE
        write(5)
        assert log.stat().st_size <= LOG_SIZE


@SERVERS
def test_a_lock_is_not_waited_for_forever(url: str) -> None:
    app = create_app(
        Settings.model_validate({"database_url": f"{url}?statement_timeout=1"})
    )
    user = {"email": "deadpool@example.com", "password": "x"}
    with TestClient(app) as client:
        with connect(db, connector(url)), db.atomic() as transaction:
            User.create(email=user["email"], hashed_password="")
            response = client.post("/users/", json=user)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            transaction.rollback()
        assert client.post("/users/", json=user).status_code == 200


# Text.


TEXTS = [
    "a",
    "A",
    "á",
    "a ",
    " a",
    "e\u0301",
    "é",
    "ß",
    "ss",
    "😀",
    "😁",
    "i",
    "İ",
]


def test_text_compares_exactly_on_every_engine(pool: Pool) -> None:
    with pool.connection():
        for text in TEXTS:
            User.create(email=text, hashed_password="")
        for text in TEXTS:
            user = crud.get_user_by_email(text)
            assert user is not None
            assert user.email == text
            with pytest.raises(peewee.IntegrityError):
                User.create(email=text, hashed_password="")
        assert crud.get_user_by_email("a  ") is None


def test_a_text_that_is_too_long_is_an_error_or_kept_whole(pool: Pool) -> None:
    """Never cut off; the API refuses it before."""
    with pool.connection():
        try:
            User.create(email="a" * 300, hashed_password="")
        except peewee.DataError:
            return
        assert crud.get_user_by_email("a" * 300)


# Transactions that the server rolls back.


@pytest.fixture
def two_rows(pool: Pool) -> Iterator[None]:
    with pool.connection():
        for name in ("one", "two"):
            User.create(email=name, hashed_password="")
        yield


def update_crosswise(
    url: str, transaction: Callable[[Callable[[], None]], None]
) -> list[peewee.OperationalError]:
    """Two transactions take two rows crosswise; the errors of those that lost."""
    together = threading.Barrier(2, timeout=20)
    lost: list[peewee.OperationalError] = []

    def update(names: tuple[str, str]) -> None:
        seen: set[str] = set()

        def both() -> None:
            for name in names:
                User.update(is_active=False).where(User.email == name).execute()
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
        assert User.select().where(User.is_active).count() == 0


@pytest.mark.usefixtures("two_rows")
@SERVERS
def test_it_does_not_run_again_within_another_transaction(url: str) -> None:
    def transaction(both: Callable[[], None]) -> None:
        with db.atomic():
            db.atomic()(both)()

    assert len(update_crosswise(url, transaction)) == 1


# A function that fails as a conflict does, until it was tried so many times.
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
    pool: Pool, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    *setup, count = CONFLICTS[engine]
    code = {"postgresql": "40001", "mariadb": 1213}[engine]
    with pool.connection():
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
        # In a transaction, what came before it would be lost.
        with pytest.raises(peewee.OperationalError), db.atomic():
            db.execute_sql("SELECT conflict(1000)")
        db.begin()
        with pytest.raises(peewee.OperationalError):
            db.execute_sql("SELECT conflict(1000)")
        db.rollback()
        assert db.execute_sql(count).fetchone() == (2 * ATTEMPTS + 2,)


# What is a matter of the server, and what of the app.


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (peewee.InternalError(psycopg.errors.ReadOnlySqlTransaction()), "unreachable"),
        (peewee.InternalError(psycopg.errors.InFailedSqlTransaction()), None),
        (peewee.OperationalError(psycopg.errors.TooManyConnections()), "busy"),
        (peewee.OperationalError(psycopg.errors.AdminShutdown()), "unreachable"),
        (peewee.InterfaceError(psycopg.InterfaceError("closed")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(1040, "")), "busy"),
        (peewee.OperationalError(pymysql.OperationalError(1047, "")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(2013, "")), "unreachable"),
        (peewee.OperationalError(pymysql.OperationalError(1054, "column")), None),
        (peewee.ProgrammingError(psycopg.errors.UndefinedTable()), None),
        (ValueError(), None),
    ],
)
def test_why_unavailable(error: Exception, why: str | None) -> None:
    assert why_unavailable(error) == why


def test_a_socket_that_is_not_there_leaves_none_open(tmp_path: Path) -> None:
    url = f"mysql://user@localhost/db?unix_socket={tmp_path}/missing"
    with pytest.raises(peewee.OperationalError, match="Can't connect"):
        connector(url)().connect()
    gc.collect()  # Python warns of an open socket then, and a warning is an error.
