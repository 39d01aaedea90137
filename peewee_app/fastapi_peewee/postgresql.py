"""PostgreSQL and CockroachDB, by psycopg."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import NotSupportedError, PostgresqlDatabase, Psycopg3Adapter
from playhouse.cockroachdb import CockroachDatabase
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from .connection import (
    CONNECT_TIMEOUT,
    GRACE,
    Connect,
    Connection,
    ServerConnection,
    take_statement_timeout,
)

# Any number will do, as long as nothing else in the database uses it.
MIGRATION_LOCK = 7_338_219_310_457_101


class LimitedConnection(psycopg.Connection[Any]):
    """A psycopg connection that does not wait forever.

    The server's statement_timeout is no help with a server that is frozen, nor does
    the kernel notice, which still acknowledges what is sent to it.
    """

    limit: float | None = None

    def wait(
        self, gen: Any, interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        limit = self.limit if timeout is None else timeout
        return super().wait(gen, interval=interval, timeout=limit)


class Adapter(Psycopg3Adapter):
    """Makes Peewee open limited connections."""

    def connect(self, db: Any, **params: Any) -> Any:
        limit = params.pop("limit")
        connection = LimitedConnection.connect(autocommit=True, **params)
        connection.limit = limit
        return connection


class Postgresql(ServerConnection, PostgresqlDatabase):
    """One connection to a PostgreSQL server."""

    psycopg3_adapter = Adapter
    # serialization_failure, deadlock_detected, and "cached plan must not change result
    # type": somebody has altered a table since the statement was prepared.
    rolled_back = frozenset({"40001", "40P01", "0A000"})
    snapshot: tuple[str, ...] = ("REPEATABLE READ",)
    _has_old_plans = False

    def execute_once(self, sql: str, params: Any) -> Any:
        self._forget_old_plans()
        try:
            return super().execute_once(sql, params)
        except NotSupportedError:
            self._has_old_plans = True
            raise

    def rollback(self) -> None:
        super().rollback()
        self._forget_old_plans()

    def _forget_old_plans(self) -> None:
        if self._has_old_plans and self.driver_is_idle():
            # psycopg notices the statement, and forgets what it has prepared, too.
            super().execute_once("DEALLOCATE ALL", None)
            self._has_old_plans = False

    def driver_is_idle(self) -> bool:
        status = self.connection().pgconn.transaction_status
        return bool(status == TransactionStatus.IDLE)

    def fileno(self) -> int:
        fileno: int = self.connection().fileno()
        return fileno

    def why_not_writable(self) -> str | None:
        """A standby is read-only, too."""
        (read_only,) = self.execute_sql("SHOW transaction_read_only").fetchone()
        return "read-only" if read_only == "on" else None

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        """An advisory lock; the server frees it if this process dies."""
        self.execute_sql("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        try:
            yield
        finally:
            self.execute_sql("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))


class Cockroachdb(Postgresql, CockroachDatabase):  # type: ignore[misc]
    """One connection to a CockroachDB cluster."""

    snapshot = ()  # Its transactions are serializable.

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        """No lock: CockroachDB accepts the functions for one, but they do nothing."""
        yield


def connector(url: str) -> Connect:
    """As `url.connector`; psycopg, that is libpq, reads the URL."""
    scheme, colon, rest = url.partition(":")
    cockroach = scheme == "cockroachdb"
    url, seconds = take_statement_timeout(f"postgresql{colon}{rest}")
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error as exc:
        # Other messages may repeat the URL, and a password is in it.
        reason = str(exc).strip() if "query parameter" in str(exc) else "cannot be read"
        raise ValueError(f"the URL: {reason}") from None

    defaults: dict[str, Any] = {}
    settings = {}
    if cockroach:
        defaults = {"user": "root", "port": 26257}
        # SERIAL would give ids of 64 bits: more than the API takes, and JavaScript.
        settings = {"serial_normalization": "sql_sequence", "default_int_size": "4"}
    params = {
        **defaults,
        "application_name": "peewee_app",
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": round((seconds + GRACE) * 1000),
        **given,
    }
    name = params.get("dbname") or "postgres"
    engine = Cockroachdb if cockroach else Postgresql

    def connect(*, limited: bool = True) -> Connection:
        server_limit = str(round(seconds * 1000) if limited else 0)
        set_all = settings | {"statement_timeout": server_limit}
        options = [f"-c {setting}={value}" for setting, value in set_all.items()]
        return engine(
            name,
            prefer_psycopg3=True,
            limited=limited,
            limit=seconds + GRACE if limited else None,
            **params | {"options": " ".join([*options, str(given.get("options", ""))])},
        )

    return connect
