"""One request, one connection, on whatever threads the request runs.

Peewee keeps the connection of a `Database` in a thread-local. FastAPI runs one
request on several threads, and many requests on one thread, so a thread-local mixes
requests up. Here each connection is a Peewee `Database` of its own, made with
`thread_safe=False` (plain state, no lock), and a context variable says which of them
is the current request's. FastAPI copies the context to every thread it uses.

Models bind to a `ContextDatabase`, which stands for the connection of the current
scope. A request gets its scope from `Pool.request`; a script has `connect(url)`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial, wraps
from inspect import ismethod
from typing import Any, ParamSpec, TypeVar

from peewee import Database, DatabaseProxy, PeeweeException

from .prepared import PreparedQuery, Statement
from .prepared_insert import insert_statement
from .retry import run_again

P = ParamSpec("P")
T = TypeVar("T")

Connect = Callable[[], Database]

# Methods that are no statement: they read the result of one, after which others may
# have their turn, or keep Peewee's own account of transactions.
NO_STATEMENT = {
    *("last_insert_id", "rows_affected"),
    *("in_transaction", "transaction_depth", "top_transaction"),
    *("push_transaction", "pop_transaction"),
}


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

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._database: Database | None = None
        self._is_clean = True
        self._lock = threading.Lock()

    def open(self) -> Database:
        """The connection, fit for use; blocks while it connects.

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
        """Whether the next scope can have it as it is, or it has to be cleaned first.

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
    """Whether another scope can use the connection as it is; never blocks."""
    check = getattr(database, "is_clean", lambda: True)
    return not database.is_closed() and not database.in_transaction() and check()


class Scope:
    """What one request, script or thread has of the database: nothing, until its
    first query.

    `with scope as database:` is one statement. Threads that share a scope take turns,
    and a transaction belongs to the code that has begun it, with the threads and
    tasks that this code starts.
    """

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._database: Database | None = None
        self._turn = threading.RLock()
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
        self._turn.acquire()
        try:
            if self._transaction not in (None, _transaction.get()):
                raise SharedTransactionError
            if self._database is None:
                self._database = self._holder.open()
        except BaseException:
            self.__exit__()
            raise
        return self._database

    def __exit__(self, *_exc: object) -> None:
        self._turn.release()
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
            _transaction.set(self._transaction)

    def commit(self) -> None:
        """Commit the transaction, which ends it."""
        with self as database:
            database.commit()
            self._transaction = None

    def rollback(self) -> None:
        """Roll the transaction back, which ends it; anybody may do so."""
        with self._turn:  # Until it is done, nobody else is let in.
            self._transaction = None
            with self as database:
                database.rollback()

    def call(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What a method of the connection returns, as one statement."""
        with self:
            return method(*args, **options)

    def end(self) -> bool:
        """Let no more statements run; never blocks.

        Returns False if a thread that the scope leaves behind still runs one: the
        connection is closed when that is done.
        """
        with self._lock:
            self._ended = True
            return not self._statements


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
# The transaction that the current code has begun.
_transaction: ContextVar[object | None] = ContextVar("transaction", default=None)


def current_scope() -> Scope | None:
    """The scope that this code runs in, if there is one."""
    return _scope.get()


@contextmanager
def current(scope: Scope) -> Iterator[None]:
    """Make it the scope of what runs inside."""
    outer, transaction = _scope.get(), _transaction.get()
    _scope.set(scope)
    try:
        yield
    finally:
        # Not reset(): a scope may end in another task than the one it began in.
        _scope.set(outer)
        _transaction.set(transaction)


@contextmanager
def open_scope(connect: Connect) -> Iterator[None]:
    """A scope for a script, a shell or a thread, with a connection of its own.

    `connect` makes the unopened connection.
    """
    holder = Holder(connect)
    scope = Scope(holder)
    try:
        with current(scope):
            yield
    finally:
        if scope.end():
            holder.close()


class Atomic:
    """Peewee's `db.atomic()`, for a `with` or as a decorator.

    As a decorator it runs the function again, up to 5 times in all, where the database
    has rolled the transaction back in favour of another: a deadlock, for example. Not
    within another transaction, whose other statements are gone as well.
    """

    def __init__(self, database: "ContextDatabase", atomic: Any) -> None:
        self._database = database
        self._atomic = atomic

    def __enter__(self) -> Any:
        return self._atomic.__enter__()

    def __exit__(self, *exc: object) -> Any:
        return self._atomic.__exit__(*exc)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        run: Callable[P, T] = self._atomic(function)

        @wraps(function)
        def run_or_again(*args: P.args, **kwargs: P.kwargs) -> T:
            inside = self._database.in_transaction()
            codes = () if inside else getattr(self._database, "rolled_back", ())
            return run_again(partial(run, *args, **kwargs), codes)

        return run_or_again


def kept_statement(database: Database, query: Any) -> Statement | None:
    """The SQL of the query and its values, if they are not to be built."""
    if isinstance(query, PreparedQuery):
        return query.kept
    return insert_statement(database, query)


class ContextDatabase(DatabaseProxy):
    """The Peewee database that is, in each context, its scope's connection."""

    @property
    def obj(self) -> Database | None:
        """What the proxy stands for; None outside a scope."""
        scope = _scope.get()
        return scope.database if scope else None

    @obj.setter
    def obj(self, value: None) -> None:
        """Peewee sets None when it makes a proxy; here the scope decides."""

    # As Peewee's, which begin and end transactions by the methods below.
    session_start: Any = Database.session_start
    session_commit: Any = Database.session_commit
    session_rollback: Any = Database.session_rollback

    def __getattr__(self, name: str) -> Any:
        if name == "_Model":  # Peewee's own `Model` has not been asked for yet.
            raise AttributeError(name)
        scope = self._scope()
        value = getattr(scope.database, name)
        if name in NO_STATEMENT or not ismethod(value):
            return value
        return partial(scope.call, value)

    def _scope(self) -> Scope:
        scope = _scope.get()
        if scope is None:
            raise NoConnectionError
        return scope

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """As Peewee's."""
        with self._scope() as database:
            return database.execute_sql(sql, params)

    def execute(self, query: Any, **options: Any) -> Any:
        """As Peewee's, but for SQL that is there already."""
        with self._scope() as database:
            if options or not (kept := kept_statement(database, query)):
                return database.execute(query, **options)
            return database.execute_sql(*kept)

    def atomic(self, *options: Any, **more: Any) -> Atomic:  # type: ignore[override]
        """As Peewee's; as a decorator also more than once."""
        return Atomic(self, super().atomic(*options, **more))

    def begin(self, *options: Any, **more: Any) -> None:
        """As Peewee's."""
        self._scope().begin(*options, **more)

    def commit(self) -> None:
        """As Peewee's."""
        self._scope().commit()

    def rollback(self) -> None:
        """As Peewee's."""
        self._scope().rollback()
