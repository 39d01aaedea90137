"""MySQL and MariaDB, by PyMySQL."""

import re
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar
from urllib.parse import unquote

import pymysql
from peewee import MySQLDatabase, OperationalError
from playhouse.db_url import parse
from pymysql.constants import CR, ER, SERVER_STATUS

from .connection import CONNECT_TIMEOUT, GRACE, Connector, ServerConnection, readable
from .errors import (
    Code,
    ForeignKeyViolation,
    Reason,
    UniqueViolation,
    error_code,
    one_line,
)
from .url import take_statement_timeout

# Waits a minute for the lock of migrations; 1 if it is there.
GET_LOCK = "SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 40), '.migrations'), 60)"
# Table that is the lock on a Galera cluster, and the seconds to wait for it.
CLUSTER_LOCK = "schema_migration_lock"
CLUSTER_LOCK_TIMEOUT = 60

# Error numbers. Too many connections, of one user too; full disk, table or memory; lock
# wait timeout, deadlock.
BUSY = (1021, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1205, 1213, 1226)
# Query interrupted, and a statement that took too long (MariaDB, MySQL).
TIMEOUT = (1317, 1969, 3024)
# Access denied, no such database, WSREP not ready, shutdown, network errors, host
# blocked, read-only server, connection killed or too long idle; the client's own.
UNREACHABLE = (
    *(1044, 1045, 1047, 1049, 1053, 1129, 1152, 1158, 1159, 1160, 1161, 1180),
    *(1290, 1792, 1836, 1927, 4031),
    *range(CR.CR_ERROR_FIRST, 3000),
)
REASONS: dict[Code, Reason] = {
    **dict.fromkeys(BUSY, "busy"),
    **dict.fromkeys(TIMEOUT, "timeout"),
    **dict.fromkeys(UNREACHABLE, "unreachable"),
}
# Messages with a value, or a part of the statement, beside those of the driver's
# IntegrityError and DataError: a wrong statement, and wrong values of several kinds.
TELLING = {1064, 1292, 1366, 1367, 1411, 1525}
# Ends of messages, after the values.
NAME = re.compile(r"(?:for key|CONSTRAINT|Column|column) ['`]([\w.]+)['`][^'`]*$")

NARROW_COLUMNS = """
    SELECT table_name, column_name, character_set_name
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name IN %s
    AND character_set_name <> 'utf8mb4'
"""
NARROW = (
    "the column {0}.{1} has the character set {2}, which cannot hold every text: "
    "ALTER TABLE {0} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
)


def open_socket(connection: Any) -> socket.socket:
    """Open a socket to a connection's server, which has begun to speak.

    Raises OSError if the server cannot be reached, or says nothing.
    """
    with ExitStack() as on_error:
        if connection.unix_socket:
            sock = on_error.enter_context(socket.socket(socket.AF_UNIX))
            sock.settimeout(connection.connect_timeout)
            sock.connect(connection.unix_socket)
        else:
            address = (connection.host, connection.port)
            sock = socket.create_connection(address, connection.connect_timeout)
            on_error.enter_context(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # The server speaks first. One that is frozen does not.
        if not readable(sock.fileno(), connection.connect_timeout):
            raise TimeoutError("timed out")
        on_error.pop_all()
    return sock


class Mysql(ServerConnection, MySQLDatabase):
    """One connection to a MySQL or MariaDB server."""

    # Galera also reports a deadlock if another node's write was faster.
    rolled_back = frozenset({ER.LOCK_DEADLOCK})
    forbidden = frozenset({ER.TABLEACCESS_DENIED_ERROR})
    violations: ClassVar = {
        ER.DUP_ENTRY: UniqueViolation,
        ER.NO_REFERENCED_ROW: ForeignKeyViolation,
        ER.NO_REFERENCED_ROW_2: ForeignKeyViolation,
        ER.ROW_IS_REFERENCED: ForeignKeyViolation,
        ER.ROW_IS_REFERENCED_2: ForeignKeyViolation,
    }

    def _connect(self) -> Any:
        """Connect, on a socket of our own, whose descriptor is known."""
        connection = pymysql.connect(
            database=self.database,
            autocommit=True,
            defer_connect=True,
            **self.connect_params,
        )
        try:
            sock = open_socket(connection)
        except OSError as exc:
            raise pymysql.OperationalError(
                CR.CR_CONN_HOST_ERROR,
                f"Can't connect to MySQL server on {connection.host!r} ({exc})",
            ) from exc
        self._fileno = sock.fileno()
        connection.connect(sock)
        # Peewee writes JSON differently for MariaDB, also before the next one connects.
        type(self).mariadb = "mariadb" in str(connection.get_server_info()).lower()
        return connection

    @classmethod
    def why_unavailable(cls, error: BaseException) -> Reason | None:
        # The driver's own, such as answers out of step.
        if isinstance(error, pymysql.InterfaceError | pymysql.InternalError):
            return "unreachable"
        return REASONS.get(error_code(error))

    @classmethod
    def without_values(cls, error: BaseException) -> str:
        code = error_code(error)
        tells = isinstance(error, pymysql.IntegrityError | pymysql.DataError)
        if not tells and code not in TELLING:
            return str(error)
        name = NAME.search(str(error))
        words = (type(error).__name__, code, name and name[1])
        return " ".join(str(word) for word in words if word)

    def driver_is_idle(self) -> bool:
        connection = self.connection()
        in_transaction = SERVER_STATUS.SERVER_STATUS_IN_TRANS
        return bool(connection.open and not connection.server_status & in_transaction)

    def fileno(self) -> int:
        return self._fileno

    def why_not_writable(self, table: str) -> str | None:
        # An administrator may write all the same.
        (read_only,) = self.execute_sql("SELECT @@global.read_only").fetchone()
        if read_only not in (0, "OFF"):
            return "read-only"
        return super().why_not_writable(table)

    def check_text(self, tables: Collection[str]) -> None:
        narrow = self.execute_sql(NARROW_COLUMNS, (tuple(tables),)).fetchone()
        if narrow:
            raise OperationalError(NARROW.format(*narrow))

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        """Hold a named lock, which the server frees when the connection ends."""
        if ("wsrep_on", "ON") in self.execute_sql("SHOW VARIABLES LIKE 'wsrep_on'"):
            with self._cluster_lock():
                yield
            return
        while not self.execute_sql(GET_LOCK).fetchone()[0]:
            pass
        yield

    @contextmanager
    def _cluster_lock(self) -> Iterator[None]:
        """Hold a lock on all nodes of a Galera cluster; GET_LOCK is for one.

        The table is the lock: the cluster lets one connection create it. A process
        that dies leaves it, and maybe half a migration: a person has to look.
        """
        end = time.monotonic() + CLUSTER_LOCK_TIMEOUT
        while True:
            try:
                self.execute_sql(f"CREATE TABLE {CLUSTER_LOCK} (id INTEGER)")
                break
            except OperationalError as exc:
                if error_code(exc) != ER.TABLE_EXISTS_ERROR:
                    raise
            if time.monotonic() > end:
                raise OperationalError(
                    f"the table {CLUSTER_LOCK} says that another process is "
                    "migrating; if none is, drop the table"
                )
            time.sleep(0.1)
        try:
            yield
        finally:
            self.execute_sql(f"DROP TABLE {CLUSTER_LOCK}")


def connector(url: str) -> Connector:
    """Implement `engines.connector` for `mysql:` and `mariadb:` URLs."""
    url, seconds = take_statement_timeout(url)
    scheme, _, rest = url.partition(":")
    try:
        given = parse(f"mariadb:{rest}", unquote_password=True, unquote_user=True)
    except ValueError:  # Its message may repeat the URL, and a password is in it.
        raise ValueError("the URL: cannot be read") from None
    name = unquote(given.pop("database"))
    if not name:
        raise ValueError("should name a database: mysql://user:password@host/database")
    if "password" in given:  # PyMySQL would take it for Latin-1.
        given["password"] = str(given["password"]).encode()
    try:  # It opens nothing.
        pymysql.connect(defer_connect=True, **given)
    except Exception as exc:
        names = ", ".join(given)
        raise ValueError(f"one of {names} is wrong: {one_line(exc)}") from None

    class Server(Mysql):
        """One connection to this server."""

        mariadb = scheme == "mariadb"

    def connect(*, limited: bool = True) -> Mysql:
        client_limit = seconds + GRACE if limited else None
        server_limit = round(seconds * 1000) if limited else 0
        params = {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": client_limit,
            "write_timeout": client_limit,
            "sql_mode": "TRADITIONAL",  # Strict: an error where it would cut text off.
            # A comment with /*M! is code for MariaDB only, with /*!50708 for MySQL.
            "init_command": (
                f"SET SESSION /*M! max_statement_time={server_limit / 1000:g}, */"
                f" /*!50708 max_execution_time={server_limit}, */"
                f" innodb_lock_wait_timeout={max(1, round(seconds))}"
            ),
        }
        return Server(name, limited=limited, **params | given)

    return connect
