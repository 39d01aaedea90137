"""One request, one connection, on whatever threads the request runs.

Peewee keeps the connection of a `Database` in a thread-local. FastAPI runs one
request on several threads, and many requests on one thread, so a thread-local mixes
requests up. Here each pooled connection is a Peewee `Database` of its own, made with
`thread_safe=False` (plain state, no lock), and a context variable says which of them
is the current request's. FastAPI copies the context to every thread it uses.

Models bind to `db`, which stands for the connection of the current scope. A request
gets its scope from `get_db`. Other code opens one: `with pool.connection():` in a
script or a thread, `async with pool.request():` on the event loop.
"""

import os
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from itertools import chain, repeat
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import anyio
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from peewee import (
    Database,
    DatabaseProxy,
    OperationalError,
    SqliteDatabase,
)
from playhouse.db_url import parse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import unavailable

# Seconds that a statement waits for another process's lock on the SQLite file.
BUSY_TIMEOUT = 5


class SqliteFile(SqliteDatabase):
    """One connection to a SQLite file, set up as a service needs it."""

    def __init__(self, path: str, mode: str, **options: Any) -> None:
        self.path = path
        self._inode = 0
        pragmas = {"foreign_keys": 1, "journal_mode": "wal", "synchronous": "full"}
        super().__init__(f"file:{quote(path)}?mode={mode}", pragmas=pragmas, **options)

    def connect(self, reuse_if_open: bool = False) -> bool:
        opened = super().connect(reuse_if_open)
        if opened:
            self._inode = os.stat(self.path).st_ino
        return opened

    def is_connection_usable(self) -> bool:
        """False once the file is gone: SQLite would go on writing to the lost one."""
        try:
            return super().is_connection_usable() and (
                os.stat(self.path).st_ino == self._inode
            )
        except OSError:
            return False


def connector(url: str) -> Callable[[], Database]:
    """Turn a database URL into a function that makes one unopened connection.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, and `sqlite://` or
    `sqlite:///:memory:` for a database in memory that lasts as long as a connection
    to it. Options in the query string go to `sqlite3.connect`.

    Raises ValueError, with a message fit to be shown, for any other URL.
    """
    scheme, host, *_ = urlsplit(url)
    if scheme != "sqlite":
        raise ValueError("should start with sqlite:///")
    if host or not url.startswith("sqlite://"):
        raise ValueError("should have three slashes before the name: sqlite:///name.db")
    options = {
        "uri": True,
        "timeout": BUSY_TIMEOUT,
        # A connection moves between threads, but is only ever used by one at a time.
        "thread_safe": False,
        "check_same_thread": False,
        # A transaction that reads and then writes takes the lock at its start: taken
        # later, it could fail at once instead of waiting.
        "lock_type": "IMMEDIATE",
    } | parse(url)
    path = options.pop("database")
    if path == ":memory:":
        memory = f"file:/{uuid.uuid4()}?vfs=memdb"
        return lambda: SqliteDatabase(memory, pragmas={"foreign_keys": 1}, **options)
    # Only the first connection may make the file: one that vanishes later is an
    # error, not an empty database.
    modes = chain(["rwc"], repeat("rw"))
    return lambda: SqliteFile(os.path.abspath(path), next(modes), **options)


class NoConnectionError(RuntimeError):
    """A query ran outside a scope, or after its scope had ended."""

    def __init__(self) -> None:
        super().__init__(
            "No database connection here: this code runs outside a request, or after "
            "its request has ended. Open a scope around it: `with pool.connection():`, "
            "or `async with pool.request():` on the event loop."
        )


class PoolTimeoutError(OperationalError):
    """No connection came free within the pool's timeout."""


class ConnectionScope:
    """What one request holds of the database: nothing, until its first query."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._connection: Database | None = None
        self._ended = False
        # Never held while anything blocks: the event loop takes it too.
        self._lock = threading.Lock()

    def connection(self) -> Database:
        """The connection of this scope, taken from the pool when first asked for.

        Raises NoConnectionError after the scope has ended, and Peewee's
        OperationalError if the database cannot be reached.
        """
        if self._connection is None and not self._ended:
            taken = self._pool.take()
            with self._lock:
                keep = self._connection is None and not self._ended
                if keep:
                    self._connection = taken
            if not keep:  # Another thread of this request was first, or it has ended.
                self._pool.put(taken)
        if self._connection is None or self._ended:
            raise NoConnectionError
        return self._connection

    def end(self) -> Database | None:
        """Let no more queries run; return the connection, if one was taken."""
        with self._lock:
            self._ended = True
            return self._connection


_scope: ContextVar[ConnectionScope | None] = ContextVar("scope", default=None)


@contextmanager
def _current(scope: ConnectionScope) -> Iterator[None]:
    outer = _scope.get()
    _scope.set(scope)
    try:
        yield
    finally:
        # Not reset(): a scope may end in another task than the one it began in.
        _scope.set(outer)


class ContextDatabase(DatabaseProxy):
    """The Peewee database that is, in each context, its scope's connection."""

    @property
    def obj(self) -> Database | None:
        """What the proxy stands for; None outside a scope."""
        scope = _scope.get()
        return scope.connection() if scope else None

    @obj.setter
    def obj(self, value: None) -> None:
        """Peewee sets None when it makes a proxy; here the scope decides."""

    def __getattr__(self, name: str) -> Any:
        database = self.obj
        if database is None:
            raise NoConnectionError
        return getattr(database, name)


db = ContextDatabase()


class Pool:
    """Connections to one database, for at most `size` requests at once.

    The other requests wait their turn as coroutines, for `timeout` seconds at most.
    A request comes in before it can hold anything, and no thread waits for a
    connection, so there is nothing to deadlock on. `url` is as `connector` takes it.
    """

    def __init__(self, url: str, *, size: int, timeout: float) -> None:
        self.size = size
        self.timeout = timeout
        self._connect = connector(url)
        self._slots = anyio.Semaphore(size)
        # Used last in, first out. A deque needs no lock for that.
        self._idle: deque[Database] = deque()
        self._closed = False

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """A scope for code on the event loop, entered when its turn has come.

        Raises PoolTimeoutError if that takes longer than the pool's timeout.
        """
        try:
            with anyio.fail_after(self.timeout):
                await self._slots.acquire()
        except TimeoutError:
            raise PoolTimeoutError(
                f"no connection came free within {self.timeout:g} s"
            ) from None
        scope = ConnectionScope(self)
        try:
            with _current(scope):
                yield
        finally:
            try:
                connection = scope.end()
                if connection and not self._keep(connection):
                    with anyio.CancelScope(shield=True):
                        await run_sync(self._discard, connection)
            finally:
                self._slots.release()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """A scope for scripts, shells and threads.

        It waits for no turn: its connection comes on top of those of the requests.
        """
        scope = ConnectionScope(self)
        try:
            with _current(scope):
                yield
        finally:
            if connection := scope.end():
                self.put(connection)

    def take(self) -> Database:
        """An open connection, idle or new; blocks while it connects.

        Raises Peewee's OperationalError if the database cannot be reached.
        """
        with suppress(IndexError):  # There is no idle one.
            while not (connection := self._idle.pop()).is_connection_usable():
                self._discard(connection)
            return connection
        connection = self._connect()
        connection.connect()
        return connection

    def put(self, connection: Database) -> None:
        """Take a connection back; blocks if it has to be closed."""
        if not self._keep(connection):
            self._discard(connection)

    def close(self) -> None:
        """Close the idle connections now, and each of the others on its return."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._discard(self._idle.pop())

    def _keep(self, connection: Database) -> bool:
        """Make the connection idle if it is fit for the next request; never blocks."""
        if (
            self._closed
            or len(self._idle) >= self.size
            or connection.is_closed()
            or connection.in_transaction()
            or connection.connection().in_transaction
        ):
            return False
        self._idle.append(connection)
        return True

    def _discard(self, connection: Database) -> None:
        """Close the connection, which rolls back what its request left open."""
        while connection.in_transaction():
            connection.pop_transaction()
        connection.close()


# In the ASGI scope of a request for which DatabaseMiddleware has opened a scope.
OPENED = "peewee_app.database.opened"


async def get_db(request: Request) -> AsyncIterator[DatabaseProxy]:
    """Give a request its scope, as the tutorial's `get_db` gives it a session.

    Depend on it with `scope="function"`, as `Db` does: the scope then ends before the
    response is sent, and a client that reads slowly holds no connection.
    """
    if OPENED in request.scope:
        yield db
    else:
        pool: Pool = request.app.state.pool
        async with pool.request():
            yield db


Db = Annotated[DatabaseProxy, Depends(get_db, scope="function")]


class DatabaseMiddleware:
    """The alternative to `get_db`: a scope for every request of an ASGI app.

    The guarantees are the same, but each request waits for its turn, also one that
    asks nothing of the database. The scope ends when the response starts, so a slow
    reader does not hold it; inside BodyLimitMiddleware a slow sender does not either.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self.app = app
        self.pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.pool.request())
            except PoolTimeoutError as exc:
                await unavailable(exc)(scope, receive, send)
                return

            scope[OPENED] = True

            async def end_and_send(message: Message) -> None:
                await stack.aclose()
                await send(message)

            await self.app(scope, receive, end_and_send)
