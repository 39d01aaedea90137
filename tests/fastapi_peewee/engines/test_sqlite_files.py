"""Files of a SQLite database that somebody replaces, deletes or moves."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import peewee
import pytest
from peewee import QueryEvent

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    connector,
    run,
    why_unavailable,
)
from peewee_app.fastapi_peewee.engines import sqlite_files
from peewee_app.fastapi_peewee.engines.connection import Connection
from peewee_app.fastapi_peewee.engines.errors import ReplacedError


class Note(peewee.Model):
    text = peewee.CharField()


WRITE = """
import sys, time
from tests.fastapi_peewee.engines.test_sqlite_files import Note
from peewee_app.fastapi_peewee import connector
database = connector(f"sqlite:///{sys.argv[1]}")()
with database.bind_ctx([Note]):
    database.connect()
    database.create_tables([Note])
    Note.insert_many([("new",)] * int(sys.argv[2]), ["text"]).execute()
    print("done", flush=True)
    time.sleep(600)
"""


def killed_writer(file: Path, rows: int) -> None:
    """Write with a process that is killed, and leaves its log behind."""
    command = [sys.executable, "-c", WRITE, str(file), str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "done\n"
        process.send_signal(signal.SIGKILL)


def texts(file: Path) -> list[str]:
    """Return the texts that SQLite itself reads from the closed file."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [text for (text,) in connection.execute("SELECT text FROM note")]


@pytest.fixture
def file(database_file: Path) -> Path:
    """Database with one row, stopped cleanly."""
    with closing(connector(f"sqlite:///{database_file}")()) as database:
        database.connect()
        with database.bind_ctx([Note]):
            database.create_tables([Note])
            Note.create(text="old")
    return database_file


@pytest.fixture
def connect(file: Path) -> Callable[[], Connection]:
    """Connector of a new app, or of the same one after a restart."""
    return connector(f"sqlite:///{file}")


@pytest.fixture
def database(connect: Callable[[], Connection]) -> Iterator[Connection]:
    database = connect()
    with database.bind_ctx([Note]), closing(database):
        database.connect()
        yield database


def by_backup(file: Path, backup: Path) -> None:
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(backup)) as two:
        one.backup(two)


def by_vacuum(file: Path, backup: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))


def by_copy(file: Path, backup: Path) -> None:
    shutil.copy(file, backup)


BACKUPS = pytest.mark.parametrize("make", [by_backup, by_vacuum, by_copy])


@BACKUPS
def test_a_file_that_was_replaced_is_not_opened_and_not_spoilt(
    file: Path,
    database: Connection,
    connect: Callable[[], Connection],
    make: Callable[[Path, Path], None],
) -> None:
    backup = file.with_name("backup.db")
    lost = file.with_name("lost.db")
    make(file, backup)
    Note.create(text="new")
    lost.hardlink_to(file)
    backup.rename(file)
    assert not database.is_connection_usable()
    with pytest.raises(ReplacedError, match="Stop the app, delete") as raised:
        Note.create(text="into the void")
    assert why_unavailable(raised.value) == "replaced"
    database.close()
    with pytest.raises(ReplacedError):
        connect().connect()
    with pytest.raises(ReplacedError):  # A restart alone does not help.
        connector(f"sqlite:///{file}")().connect()
    for name in ("-wal", "-shm"):
        file.with_name(file.name + name).unlink()
    with closing(connector(f"sqlite:///{file}")()) as after:
        after.connect()
    assert texts(file) == ["old"]
    assert texts(lost)[:2] == ["old", "new"]


@BACKUPS
@pytest.mark.parametrize("rows", [1, 2000])
def test_a_file_that_was_replaced_after_a_kill_is_not_opened(
    file: Path, make: Callable[[Path, Path], None], rows: int
) -> None:
    backup = file.with_name("backup.db")
    make(file, backup)
    killed_writer(file, rows)
    backup.rename(file)
    with pytest.raises(ReplacedError, match="Stop the app, delete"):
        connector(f"sqlite:///{file}")().connect()


@pytest.mark.parametrize("make", [by_backup, by_vacuum])
def test_a_file_that_was_written_over_after_a_kill_is_not_opened(
    file: Path, make: Callable[[Path, Path], None]
) -> None:
    """Tell by its content: the inode stays the same."""
    backup = file.with_name("backup.db")
    make(file, backup)
    for _ in range(3):
        killed_writer(file, 2000)
        assert texts(file)  # Closing it empties the log.
    killed_writer(file, 2000)
    shutil.copy(backup, file)
    with pytest.raises(ReplacedError, match="Stop the app, delete"):
        connector(f"sqlite:///{file}")().connect()


def test_what_a_killed_process_has_committed_is_there(file: Path) -> None:
    for rows in (1, 2000, 300):
        before = len(texts(file))
        killed_writer(file, rows)
        with closing(connector(f"sqlite:///{file}")()) as database:
            database.connect()
        assert len(texts(file)) == before + rows


def test_files_that_were_copied_together_are_opened(file: Path, tmp_path: Path) -> None:
    killed_writer(file, 10)
    other = tmp_path / "other"
    other.mkdir()
    for name in ("", "-wal"):
        subprocess.run(["cp", "-a", f"{file}{name}", other], check=True)
    with closing(connector(f"sqlite:///{other / file.name}")()) as database:
        database.connect()
    assert len(texts(other / file.name)) == 11


def test_a_database_that_others_write_is_opened(
    file: Path, database: Connection
) -> None:
    """Let the log grow and restart while it is read."""
    database.execute_sql("PRAGMA synchronous = 0")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            Note.insert_many([("x" * 200,)] * 100, ["text"]).execute()

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write)
        for _ in range(200):
            with closing(connector(f"sqlite:///{file}")()) as other:
                other.connect()
        stop.set()
        writing.result()


@pytest.mark.parametrize("name", ["-wal", "-shm"])
def test_a_log_that_was_deleted(
    file: Path,
    database: Connection,
    connect: Callable[[], Connection],
    name: str,
) -> None:
    Note.create(text="new")
    file.with_name(file.name + name).unlink()
    assert database.why_not_writable("note") == "replaced"
    if name == "-wal":
        assert not database.is_connection_usable()
        with pytest.raises(ReplacedError, match=r"-wal was deleted .* Restart the app"):
            Note.create(text="void")
    with pytest.raises(ReplacedError, match="Restart the app"):
        connect().connect()
    database.close()
    with closing(connector(f"sqlite:///{file}")()) as after:
        after.connect()
    assert texts(file)[:2] == ["old", "new"]


def replace(file: Path) -> None:
    shutil.copy(file, other := file.with_name("other.db"))
    other.replace(file)


def replace_behind_link(file: Path) -> None:
    replace(file.resolve())


def replace_log(file: Path) -> None:
    """Replace it, and set the directory's time of modification back."""
    before = file.parent.stat()
    (log := file.with_name(file.name + "-wal")).unlink()
    log.touch()
    os.utime(file.parent, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_directory(file: Path) -> None:
    file.parent.rename(away := file.parent.with_name("away"))
    shutil.copytree(away, file.parent)


@pytest.mark.parametrize(
    "change", [replace, replace_behind_link, replace_log, replace_directory]
)
def test_a_change_after_the_files_were_seen_in_their_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    tick = 0.05
    monkeypatch.setattr(sqlite_files, "SETTLED", tick * 1e9)
    (tmp_path / "here").mkdir()
    file = tmp_path / "here" / "test.db"
    with closing(connector(f"sqlite:///{file}")()) as database:
        database.connect()
        database.execute_sql("CREATE TABLE t (id)")
        if change is replace_behind_link:  # A link that came later.
            moved = file.rename(tmp_path / "moved.db")
            file.symlink_to(moved)
        for _ in range(3):
            assert database.is_connection_usable()
            time.sleep(tick)
        change(file)
        assert not database.is_connection_usable()


def test_changes_that_a_slow_clock_cannot_tell_apart(
    file: Path, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(sqlite_files, "time_of_change", lambda directory: now)
    assert database.is_connection_usable()
    replace(file)
    assert not database.is_connection_usable()


def test_a_request_runs_no_statement_on_a_file_that_was_replaced(
    file: Path,
) -> None:
    """Another program may have opened the new file, and the log with it."""
    db = ContextDatabase()
    pool = Pool(db, connector(f"sqlite:///{file}"), size=1, timeout=1)

    async def request(text: str) -> None:
        async with pool.request():
            await run(partial(Note.create, text=text))

    with db.bind_ctx([Note]):
        asyncio.run(request("new"))
        replace(file)
        statements: list[QueryEvent] = []
        db.query_hooks.append(statements.append)
        with pytest.raises(ReplacedError):
            asyncio.run(request("void"))
        assert statements == []
    pool.close()


def test_a_directory_that_was_moved_and_came_back(
    tmp_path: Path, database_file: Path
) -> None:
    here, away = tmp_path / "here", tmp_path / "away"
    here.mkdir()
    connect = connector(f"sqlite:///{here / 'test.db'}")
    database = connect()
    with database.bind_ctx([Note]):
        database.connect()
        database.create_tables([Note])
        here.rename(away)
        assert not database.is_connection_usable()
        with pytest.raises(ReplacedError):
            Note.create(text="void")
        with pytest.raises(peewee.OperationalError, match="unable to open"):
            connect().connect()
        away.rename(here)
        assert database.is_connection_usable()
        Note.create(text="kept")
        database.close()
    assert texts(here / "test.db")[-1] == "kept"


def test_a_file_system_without_attributes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_files, "OWNER", "nobody.has.such")
    with closing(connector(f"sqlite:///{file}")()) as database:
        database.connect()
        assert database.is_connection_usable()
