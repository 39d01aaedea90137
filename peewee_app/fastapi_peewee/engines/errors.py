"""What an error of a database means: a table for each engine."""

import re
import sqlite3

from peewee import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PeeweeException,
)


class UniqueViolation(IntegrityError):  # noqa: N818
    """A value that has to be unique is there already."""


class ForeignKeyViolation(IntegrityError):  # noqa: N818
    """A row refers to one that does not exist."""


# What a MySQL error ends with, after the values.
MYSQL_KEY = re.compile(r"(?:for key|CONSTRAINT|Column|column) ['`]([\w.]+)['`][^'`]*$")


def one_line(exc: BaseException) -> str:
    """The message of an error; a driver's may have several lines."""
    return " ".join(str(exc).split())


def without_values(exc: PeeweeException) -> PeeweeException:
    """The same error, without what it says of a row: its class, code and constraint.

    The driver's own error, which a traceback would show as well, is cut off.
    """
    exc.__cause__ = exc.__context__ = None
    orig = getattr(exc, "orig", None)
    if isinstance(exc, IntegrityError | DataError) and not isinstance(
        orig,
        sqlite3.Error,  # Whose messages have names only.
    ):
        words = [type(orig).__name__, error_code(exc)]
        if diagnosis := getattr(orig, "diag", None):
            words += [diagnosis.constraint_name, diagnosis.column_name]
        elif key := MYSQL_KEY.search(str(exc)):
            words.append(key[1])
        exc.args = (" ".join(str(word) for word in words if word),)
    elif detail := getattr(orig, "diag", None):
        exc.args = (detail.message_primary or one_line(exc),)
    return exc


def driver_error(exc: BaseException) -> BaseException:
    """Return the driver's error of which Peewee has made this one; else itself."""
    orig: BaseException = getattr(exc, "orig", exc)
    return orig


def error_code(exc: BaseException) -> str | int | None:
    """The SQLSTATE of a PostgreSQL error, or the number of a MySQL or SQLite error."""
    orig = driver_error(exc)
    code: str | int | None = getattr(orig, "sqlite_errorcode", None)
    if code is None and type(orig).__module__.startswith("pymysql"):
        code = orig.args[0] if orig.args else None
    elif code is None:
        code = getattr(orig, "sqlstate", None)
    return code


# PostgreSQL: lock_not_available, and classes: transaction rollback, resources.
# MySQL: too many connections, of one user too; full disk, table or memory; lock wait
# timeout, deadlock.
BUSY = ("55P03", "40", "53")
# What a server or a PgBouncer says that takes no more connections: libpq has no code.
FULL = ("too many", "connection slots", "no more connections")
MYSQL_BUSY = {1021, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1205, 1213, 1226}
# Query interrupted, and a statement that took too long (MariaDB, MySQL).
MYSQL_TIMEOUT = {1317, 1969, 3024}
# Access denied, no such database, WSREP not ready, shutdown, network errors, host
# blocked, read-only server, connection killed or too long idle.
MYSQL_UNREACHABLE = {
    *(1044, 1045, 1047, 1049, 1053, 1129, 1152, 1158, 1159, 1160, 1161, 1180),
    *(1290, 1792, 1836, 1927, 4031),
}
SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}


def why_unavailable(exc: BaseException) -> str | None:
    """`busy`, `timeout` or `unreachable`, if trying later may help; None for a bug."""
    code = error_code(exc)
    orig = getattr(exc, "orig", None)
    mysql = type(orig).__module__.startswith("pymysql")
    if isinstance(exc, InternalError):
        # The server has become a replica, or the answers came out of step.
        lost = code == "25006" or (mysql and not isinstance(code, int))
        return "unreachable" if lost else None
    if isinstance(exc, InterfaceError):
        return "unreachable"
    if isinstance(exc, NotSupportedError) and code == "0A000":
        return "busy"  # A table was altered, and so a transaction has failed.
    if not isinstance(exc, OperationalError | sqlite3.OperationalError):
        return None
    if isinstance(code, str) and not mysql:
        if code == "57014":
            return "timeout"
        return "busy" if code.startswith(BUSY) else "unreachable"
    if orig is None and not isinstance(exc, sqlite3.Error):
        return "busy"  # Peewee's or the pool's own.
    if mysql:
        if code in MYSQL_BUSY:
            return "busy"
        if code in MYSQL_TIMEOUT:
            return "timeout"
        known = code in MYSQL_UNREACHABLE or (isinstance(code, int) and code >= 2000)
        return "unreachable" if known else None
    if code is None:  # psycopg: libpq has no code for a connection that was refused.
        full = any(words in str(exc) for words in FULL)
        return "busy" if full else "unreachable"
    if code == sqlite3.SQLITE_INTERRUPT:
        return "timeout"
    if code == sqlite3.SQLITE_ERROR:
        return None  # A wrong statement, such as one with an unknown table.
    # The low byte: the others say more about it.
    busy = isinstance(code, int) and code & 0xFF in SQLITE_BUSY
    return "busy" if busy else "unreachable"
