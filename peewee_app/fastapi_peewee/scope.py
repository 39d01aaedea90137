"""What one request, script or thread has of a database.

Each connection is a Peewee `Database` of its own, made with `thread_safe=False` (plain
state, no lock). A scope lends it to the code of one request, on whatever threads.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from peewee import Database, PeeweeException

# Makes one unopened connection, with `thread_safe=False`.
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
            "sync dependency. Begin it where the queries are, or in an `async def` "
            "dependency, or give the thread a scope of its own: "
            "`with pool.connection():`."
        )


class Holder:
    """Holds one connection, which is opened when it is first asked for."""

    def __init__(self, connect: MakeConnection) -> None:
        self._connect = connect
        self._database: Database | None = None
        self._is_clean = True
        self._lock = threading.Lock()

    def open(self) -> Database:
        """Return the connection, fit for use; block while it connects.

        Raises Peewee's OperationalError if the database cannot be reached, and
        TypeError for a database that keeps a connection for each thread.
        """
        self.clean()
        with self._lock:
            database = self._database
            if database is not None and not database.is_connection_usable():
                self._discard(database)
                database = None
            if database is None:
                database = self._connect()
                if database.thread_safe:
                    raise TypeError("The database needs the option thread_safe=False.")
                database.connect(reuse_if_open=True)
                self._database = database
            return database

    def end_use(self) -> bool:
        """Return whether the next scope can have it as it is, uncleaned.

        Never blocks.
        """
        self._is_clean = self._database is None or is_clean(self._database)
        return self._is_clean

    def clean(self) -> None:
        """Roll back what was left open; close it if that does not help. Blocks."""
        with self._lock:
            database = self._database
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
        """Close the connection, which rolls back what is open. Blocks."""
        with self._lock:
            if self._database is not None:
                self._discard(self._database)

    def _discard(self, database: Database) -> None:
        self._database = None
        while database.in_transaction():
            database.pop_transaction()
        database.close()


def is_clean(database: Database) -> bool:
    """Return whether another scope can use the connection as it is; never blocks."""
    check = getattr(database, "is_clean", lambda: True)
    return not database.is_closed() and not database.in_transaction() and check()


class ConnectionScope:
    """What one request, script or thread has of the database: nothing, until its
    first query.

    `with scope as database:` is one statement. Threads that share a scope take turns,
    and a transaction belongs to the code that has begun it, with the threads and
    tasks that this code starts.
    """

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._database: Database | None = None
        self._statement = threading.RLock()
        # Held for a moment only: the event loop takes it too.
        self._lock = threading.Lock()
        self._statements = 0
        self._ended = False
        self._transaction: object | None = None

    @property
    def database(self) -> Database:
        """The connection, opened when it is first asked for.

        Raises NoConnectionError after the scope has ended, and what `Holder.open` does.
        """
        if self._database is None:
            with self:
                pass
        if self._ended or self._database is None:
            raise NoConnectionError
        return self._database

    def __enter__(self) -> Database:
        with self._lock:
            if self._ended:
                raise NoConnectionError
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

    def begin(self, *options: Any, **more: Any) -> None:
        """Begin a transaction, in which only the caller may run statements."""
        with self as database:
            database.begin(*options, **more)
            self._transaction = object()
            _begun.set(_begun.get() | {self._transaction})

    def commit(self) -> None:
        """Commit the transaction, which ends it."""
        with self as database:
            database.commit()
            self._end_transaction()

    def rollback(self) -> None:
        """Roll the transaction back, which ends it; anybody may do so."""
        with self._statement:  # Until it is done, nobody else is let in.
            self._end_transaction()
            with self as database:
                database.rollback()

    def _end_transaction(self) -> None:
        _begun.set(_begun.get() - {self._transaction})
        self._transaction = None

    def call(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Return what a method of the connection returns, as one statement."""
        with self:
            return method(*args, **options)

    def end(self) -> bool:
        """Let no more statements run; never block.

        Returns False if a thread that the scope leaves behind still runs one: the
        connection is closed when that is done.
        """
        with self._lock:
            self._ended = True
            return not self._statements


# The transactions that the current code has begun, of all scopes.
_begun: ContextVar[frozenset[object]] = ContextVar("begun", default=frozenset())
