"""One connection: a Peewee `Database`, with methods for a pool."""

import re
import select
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, ClassVar, Protocol

from peewee import (
    Database,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    PeeweeException,
)

from ..transactions import run_again
from .errors import Code, Reason, driver_error, error_code

# Seconds that a connection to a server may take to be made.
CONNECT_TIMEOUT = 5
# More seconds for the client, so that the server's own answer comes first.
GRACE = 1
# Seconds after which an idle connection is not used again. A load balancer or a
# firewall may have forgotten it by then, without telling either side.
MAX_IDLE = 30

# Statements that set something for the rest of the session.
SETS_SESSION = re.compile(
    r"\s*(?:SET\s+(?!LOCAL|TRANSACTION)|RESET|USE|ATTACH|PRAGMA\s[^=(]*[=(])", re.I
)


class Connection(Database):
    """One connection: a Peewee database, with methods for the pool."""

    # Codes of errors: SQLSTATEs, or the numbers that MySQL and SQLite use. After the
    # first the database has rolled the whole transaction back, or allows nothing else.
    rolled_back: frozenset[Code]
    violations: ClassVar[Mapping[Code, type[IntegrityError]]]
    # Arguments of `atomic` so that all statements see one state.
    snapshot: tuple[str, ...] = ()
    # True after a statement that has changed the session for the next user, or after an
    # error that leaves the connection in doubt.
    is_spoilt = False

    def __init__(self, name: str, *, limited: bool, **options: Any) -> None:
        super().__init__(name, thread_safe=False, **options)
        self._limited = limited

    def connect(self, reuse_if_open: bool = False) -> bool:
        if self.is_closed():
            self.is_spoilt = False
            self._used = time.monotonic()
        return super().connect(reuse_if_open)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if SETS_SESSION.match(sql):
            self.is_spoilt = True
        try:
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        except IntegrityError as exc:
            raise self.violation(exc) from driver_error(exc)

    def commit(self) -> None:
        """Commit the transaction, which checks constraints that were deferred."""
        try:
            super().commit()
        except IntegrityError as exc:
            raise self.violation(exc) from driver_error(exc)

    @classmethod
    def why_unavailable(cls, error: BaseException) -> Reason | None:
        """Return why a driver failed, if trying later may help."""
        raise NotImplementedError

    @classmethod
    def without_values(cls, error: BaseException) -> str:
        """Return the message of a driver's error, without a row's values."""
        raise NotImplementedError

    def violation(self, exc: IntegrityError) -> IntegrityError:
        """Return the error again, of the class that names the constraint's kind."""
        kind = self.violations.get(error_code(exc))
        return kind(driver_error(exc), *exc.args) if kind else exc

    def why_rolled_back(self, exc: PeeweeException, /) -> Code:
        """Return the code of the error, if it is one of those in `rolled_back`."""
        code = error_code(exc)
        return code if code in self.rolled_back else None

    def driver_is_idle(self) -> bool:
        """Return whether the driver knows of no transaction and no broken socket."""
        raise NotImplementedError

    def is_clean(self) -> bool:
        """Return whether an open connection can serve again; ask no server.

        False in a transaction, if it is spoilt, and without a limit on statements.
        """
        return self._limited and not self.is_spoilt and self.driver_is_idle()

    def why_not_writable(self, table: str) -> str | None:
        """Return `read-only`, `full` or `replaced` if the table cannot be written.

        Writes nothing.
        """
        raise NotImplementedError

    def check_text(self, tables: Collection[str]) -> None:
        """Raise OperationalError if the tables cannot hold every text."""

    def migration_lock(self) -> AbstractContextManager[None]:
        """Let in one process at a time, of all that use the database; may block."""
        raise NotImplementedError


class ServerConnection(Connection):
    """One connection to a server, which may die, hang, or roll a statement back."""

    # Codes of errors: the role may not do that with the table, or nobody may.
    forbidden: frozenset[Code]

    def fileno(self) -> int:
        """Return the file descriptor of the connection's socket."""
        raise NotImplementedError

    def is_reusable(self) -> bool:
        """Return False if the server has closed the connection, or if it is an old one.

        It costs no round trip: an idle connection has nothing to read, unless the
        server has closed it.
        """
        return (
            not self.is_closed()
            and self.is_clean()
            and time.monotonic() - self._used < MAX_IDLE
            and not readable(self.fileno())
        )

    def why_not_writable(self, table: str) -> str | None:
        """Ask the server, since a role needs rights to write, too; write no rows."""
        name = table.join(self.quote)
        try:
            self.execute_sql(f"INSERT INTO {name} SELECT * FROM {name} WHERE 1 = 0")  # noqa: S608
            self.execute_sql(f"DELETE FROM {name} WHERE 1 = 0")  # noqa: S608
        except DatabaseError as exc:
            if error_code(exc) not in self.forbidden:
                raise
            return "read-only"
        return None

    def execute_once(self, sql: str, params: Any) -> Any:
        """Run a statement."""
        return super().execute_sql(sql, params)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; again, a few times, if the server rolled it back.

        That is safe when the statement is the whole transaction, and only then.
        """
        execute = partial(self.execute_once, sql, params)
        alone = (
            not self.is_closed() and not self.in_transaction() and self.driver_is_idle()
        )
        try:
            return run_again(execute, self.why_rolled_back) if alone else execute()
        except (OperationalError, InterfaceError, InternalError) as exc:
            self.is_spoilt |= self.why_rolled_back(exc) is None
            raise
        finally:
            self._used = time.monotonic()


def readable(fileno: int, timeout: float = 0) -> bool:
    """Return whether there is something to read, or an end, within the seconds."""
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


class Connector(Protocol):
    """Function that makes an unopened connection.

    If not `limited`, a statement may take any time.
    """

    def __call__(self, *, limited: bool = True) -> Connection: ...
