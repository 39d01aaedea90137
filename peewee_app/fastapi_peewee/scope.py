"""Scopes of requests, scripts and threads.

Each connection is a Peewee `Database` of its own, made with `thread_safe=False` (plain
state, no lock). A scope lends it to the code of one request, on whatever threads, and
hands it on at its end.
"""

import threading
from asyncio import _get_running_loop
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from peewee import Database, InterfaceError, OperationalError, PeeweeException

from .registered import MakeConnection, Registered

T = TypeVar("T")


class NoConnectionError(RuntimeError):
    """A query ran outside a scope, or after its scope had ended."""

    def __init__(self) -> None:
        super().__init__(
            "No database connection here. A path operation takes `db: Db`. Code "
            "outside a request, or that outlives it, opens a scope: `with "
            "pool.connection():`, or on the event loop `async with pool.request():`. "
            "A dependency that opens it for a path operation has to be `async def`: "
            "FastAPI runs a sync one in a thread whose context ends with it."
        )


class SharedTransactionError(RuntimeError):
    """Code ran a statement within a transaction that other code had begun."""

    def __init__(self) -> None:
        super().__init__(
            "This scope is in a transaction that was begun by another thread, or by a "
            "sync dependency. Begin it where the queries are, or give the thread a "
            "scope of its own: `with pool.connection():`."
        )


class EventLoopError(RuntimeError):
    """A query ran on an event loop, which it would stop for all clients."""

    def __init__(self) -> None:
        super().__init__(
            "A query waits for the database, and here it would stop the event loop, "
            "and so every client. Write `def` instead of `async def`, or `await "
            "run(function)` with a function that has the queries. A script whose loop "
            "may wait says so: `with connect(db, url, may_block=True):`."
        )


class ConnectionScope:
    """Scope of one request, script or thread, which connects at its first query.

    `with scope as database:` is one statement. Threads that share a scope take turns,
    and a transaction belongs to the code that has begun it, with the threads and
    tasks that this code starts. A statement can run on an event loop only if it
    `may_block`.
    """

    def __init__(
        self,
        connect: MakeConnection,
        registered: Registered,
        *,
        may_block: bool = False,
    ) -> None:
        self._connect = connect
        self._registered = registered
        self._may_block = may_block
        # The connection, if it has been made; it may be the last scope's.
        self.made: Database | None = None
        # The same, when this scope has opened it.
        self._used: Database | None = None
        self._statement = threading.RLock()
        # Statements of the thread whose turn it is, one within the other.
        self._depth = 0
        self._ended = False
        self._transaction: object | None = None

    def make(self) -> Database:
        """Return the connection, open or not, to look at; make it if there is none.

        Raises NoConnectionError after the scope has ended, and TypeError for a database
        that keeps a connection for each thread.
        """
        if self._ended:
            raise NoConnectionError
        with self._statement:
            if not self.made:
                self.made = self._registered.make(self._connect)
            return self.made

    def __enter__(self) -> Database:
        if self._ended:
            raise NoConnectionError
        if not self._may_block and _get_running_loop() is not None:
            raise EventLoopError
        self._statement.acquire()
        self._depth += 1
        try:
            if self._ended:  # Since it began to wait for its turn.
                raise NoConnectionError
            if self._transaction and self._transaction not in _begun.get():
                raise SharedTransactionError
            database = self._used or self._open()
            if self._registered.callbacks:
                self._registered.call_back(database)
        except BaseException:
            self.__exit__()
            raise
        return database

    def __exit__(self, *_exc: object) -> None:
        self._depth -= 1
        is_last = not self._depth
        self._statement.release()
        if is_last and self._ended and (left_behind := self.end()):
            close(left_behind)

    def _open(self) -> Database:
        database = self.made or self.make()
        if not database.is_closed() and not is_reusable(database):
            close(database)
        self._registered.tell(database)
        if database.is_closed():
            database.connect()
        self._used = database
        return database

    def end(self) -> Database | None:
        """Let no more statements run, and hand the connection on; never block.

        Returns None if none was made, and while another thread still runs a statement:
        that thread closes the connection then.
        """
        self._ended = True
        if not self._statement.acquire(blocking=False):
            return None
        try:
            if self._depth:
                return None
            database, self.made, self._used = self.made, None, None
            return database
        finally:
            self._statement.release()

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the connection, as one statement."""
        with self as database:
            return getattr(database, method)(*args, **options)

    # Methods of Peewee's databases, as they are for a scope.

    def is_closed(self) -> bool:
        """Return whether the scope has not connected, or its connection is closed."""
        return self._used is None or self._used.is_closed()

    def is_connection_usable(self) -> bool:
        """Return whether the connection is open, and can be reused."""
        return not self.is_closed() and self.call("is_connection_usable") is True

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Connect before the first query; return False if connected.

        Raises Peewee's OperationalError in that case, unless `reuse_if_open`.
        """
        if not self.is_closed():
            if not reuse_if_open:
                raise OperationalError("Connection already opened.")
            return False
        self._used = None
        with self:
            return True

    def close(self) -> bool:
        """Close the connection; return False if it is. The next query connects."""
        if self.is_closed():
            return False
        with self as database:
            database.close()
            self._used = None
            return True

    def begin(self, *options: Any, **more: Any) -> None:
        """Begin a transaction, in which only the caller may run statements."""
        with self as database:
            database.begin(*options, **more)
            self._transaction = object()
            _begun.set(_begun.get() | {self._transaction})

    def commit(self) -> None:
        """Commit the transaction, which ends it."""
        with self._if_open() as database:
            database.commit()
            self._end_transaction()

    def rollback(self) -> None:
        """Roll the transaction back, which ends it; anybody may do so."""
        _begun.set(_begun.get() | {self._transaction})
        with self._if_open() as database:
            try:
                database.rollback()
            finally:
                self._end_transaction()

    def _if_open(self) -> Self:
        if not self._ended and self.is_closed():
            raise InterfaceError("The database connection is not open.")
        return self

    def _end_transaction(self) -> None:
        _begun.set(_begun.get() - {self._transaction})
        self._transaction = None


def is_reusable(database: Database) -> bool:
    """Return whether an open connection can be used for another scope."""
    check = getattr(database, "is_reusable", database.is_connection_usable)
    return bool(check())


def is_clean(database: Database) -> bool:
    """Return whether another scope can use the connection as it is; never block."""
    if database.in_transaction():
        return False
    check = getattr(database, "is_clean", lambda: True)
    return database.is_closed() or bool(check())


def close(database: Database) -> None:
    """Close the connection, which rolls back; block until that is done."""
    while database.in_transaction():
        database.pop_transaction()
    with suppress(PeeweeException):
        database.close()


@contextmanager
def set_to(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Set the variable for a block."""
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        # Not reset(): it may end in another task than the one it began in.
        variable.set(before)


# Transactions that the current code has begun, of all scopes.
_begun: ContextVar[frozenset[object]] = ContextVar("begun", default=frozenset())

# Scope of code outside any.
NO_SCOPE = ConnectionScope(lambda: Database(None), Registered())
NO_SCOPE.end()
