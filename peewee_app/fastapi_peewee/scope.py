"""Scopes of requests, scripts and threads.

Each connection is a Peewee `Database` of its own, made with `thread_safe=False` (plain
state, no lock). A scope lends it to the code of one request, on whatever threads.
"""

import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from peewee import Database, InterfaceError, OperationalError, PeeweeException

from .registered import UNTOLD, Registered

T = TypeVar("T")

# Makes an unopened connection, with `thread_safe=False`.
MakeConnection = Callable[[], Database]


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


class Holder:
    """Holder of one connection, which is opened at its first use."""

    def __init__(self, connect: MakeConnection, registered: Registered) -> None:
        self.registered = registered
        self._connect = connect
        # The connection, if it has been made.
        self.made: Database | None = None
        # The version of registrations that it knows.
        self._version = UNTOLD
        self._is_clean = True
        # Held while the connection is made, and while it is opened or closed.
        self._making = threading.Lock()
        self._lock = threading.Lock()

    @property
    def database(self) -> Database:
        """Connection, open or not; it is made at the first use.

        Raises TypeError for a database that keeps a connection for each thread.
        """
        if database := self.made:
            return database
        with self._making:
            if not self.made:
                database = self._connect()
                if database.thread_safe:
                    raise TypeError("The database needs the option thread_safe=False.")
                self._version = self.registered.tell(database, UNTOLD)
                self.made = database
            return self.made

    def open(self) -> Database:
        """Return the connection, open and fit for use; block while it connects.

        Raises the errors of `database`, and Peewee's OperationalError if the database
        cannot be reached.
        """
        self.clean()
        with self._lock:
            database = self.database
            if not database.is_closed() and not is_reusable(database):
                self._discard(database)
                database = self.database
            if database.is_closed():
                database.connect()
            if self._version != self.registered.version:
                self.tell()
            return database

    def tell(self) -> None:
        """Tell the connection what has been registered since it was opened."""
        self._version = self.registered.tell(self.database, self._version)

    def end_use(self) -> bool:
        """Return whether the next scope can have it as it is, uncleaned.

        Never blocks.
        """
        self._is_clean = self.made is None or is_clean(self.made)
        return self._is_clean

    def clean(self) -> None:
        """Roll back an open transaction; close if that does not help. Blocks."""
        with self._lock:
            database = self.made
            if self._is_clean or database is None:
                return
            self._is_clean = True
            while database.in_transaction():
                database.pop_transaction()
            with suppress(PeeweeException):
                database.rollback()
            if not is_clean(database):
                self._discard(database)

    def close(self) -> None:
        """Close the connection, which rolls back. Blocks."""
        with self._lock:
            if self.made is not None:
                self._discard(self.made)

    def _discard(self, database: Database) -> None:
        self.made = None
        while database.in_transaction():
            database.pop_transaction()
        database.close()


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


class ConnectionScope:
    """Scope of one request, script or thread, which connects at its first query.

    `with scope as database:` is one statement. Threads that share a scope take turns,
    and a transaction belongs to the code that has begun it, with the threads and
    tasks that this code starts. A statement can run on an event loop only if it
    `may_block`.
    """

    def __init__(self, holder: Holder, *, may_block: bool = False) -> None:
        self._holder = holder
        self._may_block = may_block
        self._database: Database | None = None
        self._statement = threading.RLock()
        # Held for a moment only: the event loop takes it too.
        self._lock = threading.Lock()
        self._statements = 0
        self._ended = False
        self._transaction: object | None = None

    @property
    def database(self) -> Database:
        """Connection, open or not, to look at.

        Raises NoConnectionError after the scope has ended.
        """
        if self._ended:
            raise NoConnectionError
        return self._database or self._holder.database

    @property
    def made(self) -> Database | None:
        """Connection, if it has been made."""
        return self._holder.made

    def __enter__(self) -> Database:
        with self._lock:
            if self._ended:
                raise NoConnectionError
            if _get_running_loop() is not None and not self._may_block:
                raise EventLoopError
            self._statements += 1
        self._statement.acquire()
        try:
            if self._transaction and self._transaction not in _begun.get():
                raise SharedTransactionError
            if self._database is None:
                self._database = self._holder.open()
        except BaseException:
            self.__exit__()
            raise
        return self._database

    def __exit__(self, *_exc: object) -> None:
        self._statement.release()
        with self._lock:
            self._statements -= 1
            is_left_behind = self._ended and not self._statements
        if is_left_behind:
            self._holder.close()

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the connection, as one statement."""
        with self as database:
            return getattr(database, method)(*args, **options)

    def is_closed(self) -> bool:
        """Return whether the scope has not connected, or its connection is closed."""
        return self._database is None or self._database.is_closed()

    def in_transaction(self) -> bool:
        """Return whether a transaction is open; there is none before the first query.

        The connection may be in the last scope's, until it is cleaned.
        """
        if self._ended:
            raise NoConnectionError
        return self._database is not None and self._database.in_transaction()

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Connect before the first query; return False if connected.

        Raises Peewee's OperationalError in that case, unless `reuse_if_open`.
        """
        if not self.is_closed():
            if not reuse_if_open:
                raise OperationalError("Connection already opened.")
            return False
        self._database = None
        with self:
            return True

    def is_connection_usable(self) -> bool:
        """Return whether the connection is open, and can be reused."""
        return not self.is_closed() and self.call("is_connection_usable") is True

    def close(self) -> bool:
        """Close the connection; return False if it is. The next query connects."""
        if self.is_closed():
            return False
        with self as database:
            self._database = None if database.close() else database
            return True

    def tell(self) -> None:
        """Tell the connection what has been registered since it was opened."""
        if not self._ended:
            with self._statement:
                self._holder.tell()

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
        with self._statement:  # Until it is done, nobody else is let in.
            scope = self._if_open()
            self._end_transaction()
            with scope as database:
                database.rollback()

    def _if_open(self) -> Self:
        if not self._ended and self.is_closed():
            raise InterfaceError("The database connection is not open.")
        return self

    def _end_transaction(self) -> None:
        _begun.set(_begun.get() - {self._transaction})
        self._transaction = None

    def end(self) -> bool:
        """Let no more statements run; never block.

        Returns False while another thread still runs one: the connection is closed
        when that is done.
        """
        with self._lock:
            self._ended = True
            return not self._statements


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
NO_SCOPE = ConnectionScope(Holder(lambda: Database(None), Registered()))
NO_SCOPE.end()
