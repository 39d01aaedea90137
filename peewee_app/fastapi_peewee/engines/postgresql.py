"""PostgreSQL, by psycopg."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, ClassVar

import psycopg
from peewee import NotSupportedError, PostgresqlDatabase, Psycopg3Adapter
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from .connection import CONNECT_TIMEOUT, GRACE, Connection, Connector, ServerConnection
from .errors import (
    ForeignKeyViolation,
    Reason,
    UniqueViolation,
    error_code,
    one_line,
)
from .url import take_statement_timeout

# Any number that nothing else in the database uses.
MIGRATION_LOCK = 7_338_219_310_457_101

# Sets the limit on statements, if the process that answers is the one that was
# connected to. Else there is a pooler, and the setting would stay with a session of
# the server that others use as well.
SET_LIMIT = """
    SELECT set_config('statement_timeout', %s, false) WHERE pg_backend_pid() = %s
"""

# Seconds to wait while the server is told to cancel a statement. PgBouncer gives up
# after 10, its cancel_wait_timeout.
CANCEL_TIMEOUT = 30

# SQLSTATEs of a busy database begin so: a lock, a table that was altered (which fails
# a transaction); transaction rollback, resources.
BUSY = ("55P03", "0A000", "40", "53")
# A server that has become a replica.
UNREACHABLE = {"25006"}
# Words of a server or a PgBouncer that takes no more connections: libpq has no code.
FULL = ("too many", "connection slots", "no more connections")

WRONG_ENCODING = (
    "the database has the encoding {}, which cannot hold every text: make one with "
    "createdb --encoding=UTF8 --template=template0, and move the rows there"
)


class LimitedConnection(psycopg.Connection[Any]):
    """A psycopg connection that does not wait forever.

    The server's statement_timeout does not help with a frozen server, whose kernel
    still acknowledges all data.
    """

    # Seconds that a statement may take; None for no limit.
    limit: float | None = None
    # True behind a pooler, such as PgBouncer.
    pooled = False

    def wait(
        self, gen: Any, interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        if timeout is not None or self.limit is None:
            return super().wait(gen, interval, timeout)
        if not self.pooled:
            return super().wait(gen, interval, self.limit + GRACE)
        try:
            return super().wait(gen, interval, self.limit)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            # The statement is late. A thread asks to cancel it, and waits longer:
            # PgBouncer 1.18 crashes if it leaves before the server is told.
            threading.Thread(target=self._cancel, daemon=True).start()
            return super().wait(gen, interval, GRACE)

    def _cancel(self) -> None:
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_TIMEOUT)


class Adapter(Psycopg3Adapter):
    """Adapter for limited connections."""

    def connect(self, db: Any, **params: Any) -> Any:
        limit = params.pop("limit")
        connection = LimitedConnection.connect(autocommit=True, **params)
        with ExitStack() as on_error:
            on_error.callback(connection.close)
            encoding = connection.info.parameter_status("server_encoding")
            if encoding not in ("UTF8", None):  # A pooler may not tell.
                raise psycopg.OperationalError(WRONG_ENCODING.format(encoding))
            connection.limit = CONNECT_TIMEOUT
            milliseconds = str(round((limit or 0) * 1000))
            asked = (milliseconds, connection.info.backend_pid)
            connection.pooled = not connection.execute(SET_LIMIT, asked).fetchone()
            if connection.pooled:
                # The next transaction may be on another session of the server's.
                connection.prepare_threshold = None
            connection.limit = limit
            on_error.pop_all()
        return connection


class Postgresql(ServerConnection, PostgresqlDatabase):
    """One connection to a PostgreSQL server."""

    psycopg3_adapter = Adapter
    # serialization_failure, deadlock_detected, and "cached plan must not change result
    # type": somebody has altered a table since the statement was prepared.
    rolled_back = frozenset({"40001", "40P01", "0A000"})
    violations: ClassVar = {
        "23505": UniqueViolation,
        "23503": ForeignKeyViolation,
        "23001": ForeignKeyViolation,  # restrict_violation, of newer servers.
    }
    # insufficient_privilege, read_only_sql_transaction: a standby, too.
    forbidden = frozenset({"42501", "25006"})
    snapshot = ("REPEATABLE READ",)

    def execute_once(self, sql: str, params: Any) -> Any:
        try:
            return super().execute_once(sql, params)
        except NotSupportedError:  # Of an old plan; psycopg forgets them in a rollback.
            if self.driver_is_idle():
                # psycopg notices the statement, and forgets what it has prepared, too.
                super().execute_once("DEALLOCATE ALL", None)
            raise

    @classmethod
    def why_unavailable(cls, error: BaseException) -> Reason | None:
        code = str(error_code(error) or "")
        if code == "57014":
            return "timeout"
        if code.startswith(BUSY):
            return "busy"
        if code in UNREACHABLE or isinstance(error, psycopg.InterfaceError):
            return "unreachable"
        if not isinstance(error, psycopg.OperationalError):
            return None
        is_full = not code and any(words in str(error) for words in FULL)
        return "busy" if is_full else "unreachable"

    @classmethod
    def without_values(cls, error: BaseException) -> str:
        if isinstance(error, psycopg.IntegrityError | psycopg.DataError):
            words = (error.sqlstate, error.diag.constraint_name, error.diag.column_name)
            return " ".join([type(error).__name__, *filter(None, words)])
        told = isinstance(error, psycopg.Error) and error.diag.message_primary
        return told or one_line(error)

    def driver_is_idle(self) -> bool:
        status = self.connection().pgconn.transaction_status
        return bool(status == TransactionStatus.IDLE)

    def fileno(self) -> int:
        fileno: int = self.connection().fileno()
        return fileno

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        """Hold a transaction's advisory lock: a pooler keeps no session longer.

        The transaction commits all that is done with the lock, or nothing.
        """
        with self.atomic():
            self.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            yield


def connector(url: str) -> Connector:
    """Implement `engines.connector`; psycopg, that is libpq, reads the URL."""
    url, seconds = take_statement_timeout(url)
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error as exc:
        # Other messages may repeat the URL, and a password is in it.
        reason = str(exc).strip() if "query parameter" in str(exc) else "cannot be read"
        raise ValueError(f"the URL: {reason}") from None

    params: dict[str, Any] = {
        "application_name": "peewee_app",
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": round((seconds + GRACE) * 1000),
    }
    # Overrides the role's and the environment's.
    params |= given | {"client_encoding": "UTF8"}
    name = params.get("dbname") or "postgres"

    def connect(*, limited: bool = True) -> Connection:
        limit = seconds if limited else None
        return Postgresql(
            name, prefer_psycopg3=True, limited=limited, limit=limit, **params
        )

    return connect
