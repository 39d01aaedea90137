"""Migrations: the models' tables on each engine, up and down, applied once."""

import os
import re
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from peewee import Model, OperationalError
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from harness.server import serve
from peewee_app import migrations, models
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, connect, connector
from peewee_app.migrations import migrate
from peewee_app.models import BaseModel, User

from ..engines import on

MODELS: list[type[Model]] = [
    model for model in BaseModel.__subclasses__() if model.__module__ == models.__name__
]


def columns(url: str) -> dict[str, list[tuple[str, str | None, bool, bool]]]:
    with closing(connector(url)()) as connection:
        connection.connect()
        return {
            table: [
                (c.name, c.full_type, c.null, c.primary_key)
                for c in connection.get_columns(table)
            ]
            for table in connection.get_tables()
            if table != "schema_migration"
        }


def test_models_and_migrations_agree_up_and_down(url: str) -> None:
    migrate(connector(url))
    migrated = columns(url)
    with connect(db, connector(url)):
        assert not diff_models(db.obj, MODELS)
        runner = Runner(db.obj, migrations.DIRECTORY)
        last = len(runner.status())
        for done in range(last):
            assert len(runner.down()) == 1
            assert len(runner.applied()) == last - done - 1
        # SQLite's own table of used ids.
        assert {*db.get_tables()} - {"sqlite_sequence"} == {"schema_migration"}
        # Peewee's tables of the models, with types and nulls.
        db.create_tables(MODELS)
        assert columns(url) == migrated
        db.drop_tables(MODELS)
        assert len(runner.up()) == last
        assert not diff_models(db.obj, MODELS)
    assert columns(url) == migrated


def test_a_second_start_changes_nothing(pool: Pool, url: str) -> None:
    with pool.connection():
        User.create(email="a", hashed_password="")
    migrate(connector(url))
    with pool.connection():
        assert User.select().count() == 1


def test_an_interrupted_migration_is_finished_by_the_next_start(url: str) -> None:
    """MySQL cannot roll a new table back."""
    migrate(connector(url))
    with connect(db, connector(url)):
        User.create(email="a", hashed_password="")
        db.drop_tables([model for model in MODELS if model is not User])
        db.execute_sql("DELETE FROM schema_migration")
    migrate(connector(url))
    with connect(db, connector(url)):
        assert not diff_models(db.obj, MODELS)
        assert User.select().count() == 1


def test_processes_that_start_together_apply_it_once(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Use threads, since a lock of the database works between them, too."""
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(connector(url))
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    applied = re.findall("Applied the migration (.+)", caplog.text)
    assert len(applied) == len(set(applied)) > 0
    with connect(db, url):
        assert not diff_models(db.obj, MODELS)


@on("postgresql", "mariadb")
def test_a_migration_may_take_longer_than_a_request(url: str) -> None:
    connect_to = connector(f"{url}?statement_timeout=0.2")
    sleep = "pg_sleep" if url.startswith("postgresql") else "SLEEP"
    with closing(connect_to(limited=False)) as connection:
        connection.execute_sql(f"SELECT {sleep}(2)")
    with connect(db, connect_to), pytest.raises(OperationalError):
        db.execute_sql(f"SELECT {sleep}(2)")


@pytest.mark.parametrize("at_start", ["true", "false"])
@on("sqlite")
def test_a_database_newer_than_the_code_stops_the_start(
    pool: Pool, url: str, at_start: str
) -> None:
    with pool.connection():
        db.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES (?, ?)",
            ("9999_from_the_future", "2030-01-01"),
        )
    pool.close()
    with serve(url, MIGRATE_AT_START=at_start) as server:
        log = server.wait()
    assert server.process.returncode == 3
    assert "Traceback" not in log
    (line,) = (line for line in log.splitlines() if "9999_from_the_future" in line)
    assert "newer" in line


@on("sqlite")
def test_who_migrates_by_hand_is_told_what_is_missing(url: str) -> None:
    with serve(url, MIGRATE_AT_START="false") as server:
        log = server.wait()
    assert server.process.returncode == 3
    assert "Traceback" not in log
    (line,) = (line for line in log.splitlines() if "0001_initial" in line)
    assert "pwmigrate" in line


@on("sqlite", slow=["postgresql", "mariadb"])
def test_pwmigrate_on_the_database_of_the_settings(url: str) -> None:
    def pwmigrate(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "playhouse.migrations", *arguments],
            cwd=Path(__file__).parents[2],  # Where `.pwmigrate` is.
            env=os.environ | {"DATABASE_URL": url},
            capture_output=True,
            text=True,
        )

    assert pwmigrate("status").returncode == 1
    assert "applied: 0001_initial\n" in pwmigrate("up").stdout
    assert pwmigrate("status").returncode == 0
    assert pwmigrate("diff").stdout == "schema matches models.\n"
    migrate(connector(url), apply=False)
    assert pwmigrate("down").stdout.startswith("reverted: ")
    assert pwmigrate("status").returncode == 1
