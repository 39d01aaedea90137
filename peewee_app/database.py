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

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from peewee import DatabaseProxy, OperationalError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .engines import Connection, connector
from .errors import unavailable
from .telemetry import QueryHook


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
        self._connection: Connection | None = None
        self._ended = False
        # Never held while anything blocks: the event loop takes it too.
        self._lock = threading.Lock()

    def connection(self) -> Connection:
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

    def end(self) -> Connection | None:
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
    def obj(self) -> Connection | None:
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
    connection, so there is nothing to deadlock on. `url` is as `engines.connector`
    takes it. Each new connection gets what `query_hooks` returns.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int,
        timeout: float,
        query_hooks: Callable[[], list[QueryHook]] = list,
    ) -> None:
        self.size = size
        self.timeout = timeout
        self._connect = connector(url)
        self._query_hooks = query_hooks
        self._slots = anyio.Semaphore(size, fast_acquire=True)
        # Used last in, first out. A deque needs no lock for that.
        self._idle: deque[Connection] = deque()
        self._closed = False

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """A scope for code on the event loop, entered when its turn has come.

        Raises PoolTimeoutError if that takes longer than the pool's timeout.
        """
        with anyio.move_on_after(self.timeout) as wait:
            await self._slots.acquire()
        if wait.cancelled_caught:
            raise PoolTimeoutError(f"no connection came free within {self.timeout:g} s")
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

    def take(self) -> Connection:
        """An open connection, idle or new; blocks while it connects.

        Raises Peewee's OperationalError if the database cannot be reached.
        """
        with suppress(IndexError):  # There is no idle one.
            connection = self._idle.pop()
            if connection.is_connection_usable():
                return connection
            self._discard(connection)
        return self.open()

    def open(self, **options: bool) -> Connection:
        """A new open connection, made with the options of `engines.Connect`.

        Raises Peewee's OperationalError if the database cannot be reached.
        """
        connection = self._connect(**options)
        connection.connect()
        connection.query_hooks.extend(self._query_hooks())
        return connection

    def put(self, connection: Connection) -> None:
        """Take a connection back; blocks if it has to be closed."""
        if not self._keep(connection):
            self._discard(connection)

    def close(self) -> None:
        """Close the idle connections now, and each of the others on its return."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._discard(self._idle.pop())

    def _keep(self, connection: Connection) -> bool:
        """Make the connection idle if it is fit for the next request; never blocks."""
        if (
            self._closed
            or len(self._idle) >= self.size
            or connection.is_closed()
            or connection.in_transaction()
            or not connection.is_clean()
        ):
            return False
        self._idle.append(connection)
        return True

    def _discard(self, connection: Connection) -> None:
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
