"""A database URL, turned into a function that makes one unopened connection.

Each engine has a module of its own, with one class: Peewee's `Database` for the engine,
and what the pool needs to know of a connection. A driver is imported only when a URL
asks for it.
"""

import logging
import random
import select
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from peewee import Database, InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

# Seconds that a connection to a server may take to be made.
CONNECT_TIMEOUT = 5
# Seconds that a statement may take on a server, unless the URL says otherwise.
STATEMENT_TIMEOUT = 10.0
# Seconds that the client waits longer, so that the server's own answer comes first.
GRACE = 1
# Seconds after which an idle connection is not used again. A load balancer or a
# firewall may have forgotten it by then, without telling either side.
MAX_IDLE = 30
# How often a statement runs at most, when the server keeps rolling it back.
ATTEMPTS = 5


class Connection(Database):
    """One connection: a Peewee database, and what the pool asks of it."""

    def is_clean(self) -> bool:
        """Whether an open connection can serve again; the server is not asked.

        False in a transaction, after an error that leaves the connection in doubt, and
        without a limit on statements.
        """
        raise NotImplementedError

    def migration_lock(self) -> AbstractContextManager[None]:
        """Lets in one process at a time, of all that use the database; may block."""
        raise NotImplementedError


class ServerConnection(Connection):
    """One connection to a server, which may die, hang, or roll a statement back."""

    # Errors for which the server has rolled the whole transaction back: SQLSTATEs, or
    # the numbers that MySQL uses.
    rolled_back: frozenset[str | int]

    def __init__(self, name: str, *, limited: bool, **options: Any) -> None:
        super().__init__(name, thread_safe=False, **options)
        self.limited = limited
        self._used = time.monotonic()
        self._in_doubt = False
        self._running = False

    def driver_is_idle(self) -> bool:
        """Whether the driver knows of no transaction, statement or broken socket."""
        raise NotImplementedError

    def fileno(self) -> int:
        """The file descriptor of the connection's socket."""
        raise NotImplementedError

    def connect(self, reuse_if_open: bool = False) -> bool:
        self._used = time.monotonic()
        self._in_doubt = self._running = False
        return super().connect(reuse_if_open)

    def is_clean(self) -> bool:
        # A thread that its request left behind may still be running a statement.
        in_doubt = self._running or self._in_doubt
        return self.limited and not in_doubt and self.driver_is_idle()

    def is_connection_usable(self) -> bool:
        """False if the server has closed the idle connection, or if it is an old one.

        It costs no round trip: nothing can be read from an idle connection, unless the
        server says goodbye.
        """
        return (
            not self.is_closed()
            and self.is_clean()
            and time.monotonic() - self._used < MAX_IDLE
            and not readable(self.fileno())
        )

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; again, a few times, if the server rolled it back.

        That is safe when the statement is the whole transaction, and only then.
        """
        execute: Callable[..., Any] = super().execute_sql
        alone = (
            not self.is_closed() and not self.in_transaction() and self.driver_is_idle()
        )
        for attempt in range(1, ATTEMPTS + 1):
            self._running = True
            try:
                return execute(sql, params)
            except (OperationalError, InterfaceError, InternalError) as exc:
                if error_code(exc) not in self.rolled_back:
                    self._in_doubt = True
                    raise
                if not alone or attempt == ATTEMPTS:
                    raise
                logger.warning("rolled back, running it again: %s", one_line(exc))
            finally:
                self._running = False
                self._used = time.monotonic()
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")


def readable(fileno: int, timeout: float = 0) -> bool:
    """Whether there is something to read, or an end, within so many seconds."""
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


class Connect(Protocol):
    """Makes one unopened connection.

    Where it is not `limited`, a statement may take as long as it needs.
    """

    def __call__(self, *, limited: bool = True) -> Connection: ...


def connector(url: str) -> Connect:
    """Turn a database URL into a function that makes one unopened connection.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, and `sqlite://` or
    `sqlite:///:memory:` for a database in memory that lasts as long as a connection
    to it; `postgresql://`, `postgres://`, `cockroachdb://`, `mysql://` and `mariadb://`
    with `user:password@host:port/database`. Options in the query string go to the
    driver; `statement_timeout` is ours, the seconds that a statement may take on a
    server.

    Raises ValueError, with a message fit to be shown, for any other URL, and if the
    driver is not installed.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from . import sqlite

        return sqlite.connector(url)
    if scheme in ("postgresql", "postgres", "cockroachdb"):
        try:
            from . import postgresql
        except ImportError:
            raise ValueError(
                "needs a driver: pip install 'peewee_app[postgres]'"
            ) from None
        return postgresql.connector(url)
    if scheme in ("mysql", "mariadb"):
        try:
            from . import mysql
        except ImportError:
            raise ValueError(
                "needs a driver: pip install 'peewee_app[mysql]'"
            ) from None
        return mysql.connector(url)
    raise ValueError(
        "should start with sqlite:///, postgresql://, cockroachdb://, mysql:// or "
        "mariadb://"
    )


def pool_size(url: str) -> int:
    """How many connections suit the engine: SQLite is fastest with one."""
    return 1 if url.startswith("sqlite:") else 10


def take_statement_timeout(url: str) -> tuple[str, float]:
    """The URL without our own option `statement_timeout`, and the option's seconds."""
    url, _, query = url.partition("?")
    seconds = STATEMENT_TIMEOUT
    options = []
    for option in filter(None, query.split("&")):
        name, _, value = option.partition("=")
        if name != "statement_timeout":
            options.append(option)
            continue
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0
        if not 0.1 <= seconds <= 3600:
            raise ValueError("statement_timeout should be 0.1 to 3600 seconds")
    return "?".join(filter(None, [url, "&".join(options)])), seconds


def one_line(exc: BaseException) -> str:
    """The message of an error; a driver's may have several lines."""
    return " ".join(str(exc).split())


def error_code(exc: BaseException) -> str | int | None:
    """The SQLSTATE of a PostgreSQL error, or the number of a MySQL or SQLite error."""
    orig = getattr(exc, "orig", exc)
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
        full = "too many" in str(exc) or "connection slots" in str(exc)
        return "busy" if full else "unreachable"
    if code == sqlite3.SQLITE_ERROR:
        return None  # A wrong statement, such as one with an unknown table.
    return "busy" if code in SQLITE_BUSY else "unreachable"
