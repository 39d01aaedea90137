"""SQLite: a file, or a database in memory."""

import math
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit
from weakref import finalize

from peewee import IntegrityError, OperationalError, SqliteDatabase
from playhouse.db_url import parse

from .connection import Connection, Connector
from .errors import (
    ForeignKeyViolation,
    Reason,
    UniqueViolation,
    driver_error,
    error_code,
)
from .sqlite_files import Files, Inodes
from .url import take_statement_timeout

# Seconds that a statement waits for another process's lock on the file.
BUSY_TIMEOUT = 5
# Bytes that have to be free on the disk.
MIN_FREE = 1024 * 1024
# Steps of SQLite's machine, of 20 to 40 ns each, between two checks of the time.
STEPS = 10_000
# Bytes of the write-ahead log that stay when all of it is in the database. Without a
# long reader the log is a quarter as long.
LOG_SIZE = 16 * 1024 * 1024
# Error codes: a lock, or a disk, that is in the way.
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}


class Cursor(sqlite3.Cursor):
    """A cursor that fetches all rows at once, like the servers' drivers.

    Fetching rows one by one would leave a read open on the connection, which other
    threads use, or close.
    """

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        super().execute(sql, parameters)
        self._rows = iter(super().fetchall())
        return self

    def __next__(self) -> Any:
        return next(self._rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class Sqlite(Connection, SqliteDatabase):
    """One connection to a SQLite database."""

    # A transaction that has read, and now writes, after others have written.
    rolled_back = frozenset({sqlite3.SQLITE_BUSY_SNAPSHOT})
    violations: ClassVar = {
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: UniqueViolation,
        sqlite3.SQLITE_CONSTRAINT_ROWID: UniqueViolation,
        sqlite3.SQLITE_CONSTRAINT_UNIQUE: UniqueViolation,
    }
    snapshot = ("DEFERRED",)

    def __init__(self, name: str, *, seconds: float, **options: Any) -> None:
        super().__init__(name, **options)
        self._seconds = seconds if self._limited else math.inf
        self._deadline = math.inf

    def connect(self, reuse_if_open: bool = False) -> bool:
        opened = super().connect(reuse_if_open)
        if opened:
            self.connection().set_progress_handler(
                lambda: time.monotonic() > self._deadline, STEPS
            )
        return opened

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        self._deadline = time.monotonic() + self._seconds
        try:
            return super().execute_sql(sql, params)
        finally:
            self._deadline = math.inf

    def violation(self, exc: IntegrityError) -> IntegrityError:
        if str(exc) == "FOREIGN KEY constraint failed":
            # ON DELETE RESTRICT is a trigger of SQLite's own, and has its code.
            return ForeignKeyViolation(driver_error(exc), *exc.args)
        return super().violation(exc)

    def rollback(self) -> None:
        # SQLite has rolled back, if a write was late or found the disk full.
        if self.is_closed() or self.connection().in_transaction:
            super().rollback()

    def cursor(self, named_cursor: None = None) -> Cursor:
        # Not Cursor(connection), which the connection would keep a reference to.
        cursor: Cursor = self.connection().cursor(Cursor)
        return cursor

    def driver_is_idle(self) -> bool:
        return not self.connection().in_transaction

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        """Hold a transaction that locks the file and may rebuild tables."""
        self.pragma("busy_timeout", 600_000)  # As long as another's migrations take.
        self.pragma("foreign_keys", 0)  # Has no effect later, in the transaction.
        with self.atomic():
            yield


class SqliteFile(Sqlite):
    """One connection to a SQLite file, set up as a service needs it."""

    def __init__(self, files: Files, mode: str, **options: Any) -> None:
        self._files = files
        self._inodes: Inodes = []
        pragmas = {
            "foreign_keys": 1,
            "journal_mode": "wal",
            "journal_size_limit": LOG_SIZE,
            "synchronous": "full",
        }
        name = f"file:{quote(files.path)}?mode={mode}"
        super().__init__(name, pragmas=pragmas, **options)

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Open the file.

        Raises ReplacedError if it is not the one that this process has opened before,
        or its log is another file's.
        """
        if self.is_closed():
            self._files.check_before_open()
        try:
            opened = super().connect(reuse_if_open)
            if opened:  # SQLite opens the log, or makes it, when the database is read.
                self.connection().execute("SELECT 1 FROM sqlite_master").fetchall()
        except (OperationalError, sqlite3.OperationalError) as exc:
            super().close()
            exc.args = (f"{exc}: {self._files.path}",)  # SQLite's message names none.
            raise
        if opened:
            self._inodes = self._files.opened()
        return opened

    def close(self) -> bool:
        """Close the file, with its log written into it, also if one was replaced."""
        if not self.is_closed() and not self._files.are_there(self._inodes):
            connection = self.connection()
            with suppress(sqlite3.Error):
                connection.rollback()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return bool(super().close())

    def is_connection_usable(self) -> bool:
        """Return False once a file is gone, which SQLite would ignore."""
        is_open: bool = super().is_connection_usable()
        return is_open and self._files.are_there(self._inodes)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        cursor = super().execute_sql(sql, params)
        if not sql.startswith("SELECT"):
            self._check_written()
        return cursor

    def commit(self) -> None:
        super().commit()
        self._check_written()

    def _check_written(self) -> None:
        """Raise ReplacedError if a commit has gone to a lost file."""
        if self.driver_is_idle() and not self._files.are_there(self._inodes):
            raise self._files.error()

    def why_not_writable(self, table: str) -> str | None:
        """Look at the files, the directory and the space on the disk.

        Taking the lock for a moment would tell the same, and block a writer.
        """
        path = self._files.path
        directory = os.path.dirname(path)
        if not self._files.are_there(self._inodes):
            return "replaced"
        if not (os.access(path, os.W_OK) and os.access(directory, os.W_OK)):
            return "read-only"
        return "full" if shutil.disk_usage(directory).free < MIN_FREE else None


def reason_of(error: BaseException) -> Reason | None:
    """Return why the driver failed, if trying later may help."""
    code = error_code(error)
    if not isinstance(error, sqlite3.OperationalError) or code == sqlite3.SQLITE_ERROR:
        return None
    if code == sqlite3.SQLITE_INTERRUPT:
        return "timeout"
    # The low byte: the others say more about it.
    busy = isinstance(code, int) and code & 0xFF in BUSY
    return "busy" if busy else "unreachable"


def message_of(error: BaseException) -> str:
    """Return the message of the driver's error, without a row's values."""
    return str(error)  # It has names only.


def connector(url: str) -> Connector:
    """Implement `engines.connector` for `sqlite:` URLs."""
    if urlsplit(url).netloc:
        raise ValueError("should have three slashes before the name: sqlite:///name.db")
    url, seconds = take_statement_timeout(url)
    options = {
        "uri": True,
        "timeout": BUSY_TIMEOUT,
        # A connection moves between threads, but only one at a time uses it.
        "check_same_thread": False,
        # A transaction that reads and then writes takes the lock at its start: taken
        # later, it could fail at once instead of waiting.
        "lock_type": "IMMEDIATE",
    } | parse(url)
    if not isinstance(options["timeout"], int | float):
        raise ValueError("timeout should be a number of seconds")
    path = options.pop("database")
    if path == ":memory:":
        name = f"file:/{uuid.uuid4()}?vfs=memdb"
        options["pragmas"] = {"foreign_keys": 1}
        connect = partial(Sqlite, name, seconds=seconds, **options)
        # The database lasts as long as a connection to it: here, this one, which
        # is closed when nobody can connect any more.
        keeper = connect()
        keeper.connect()
        finalize(connect, keeper.close)
        return connect
    # Only the first connection may make the file: a later missing file is an
    # error, not an empty database.
    modes = chain(["rwc"], repeat("rw"))
    files = Files(os.path.realpath(path))
    return lambda limited=True: SqliteFile(
        files, next(modes), limited=limited, seconds=seconds, **options
    )
