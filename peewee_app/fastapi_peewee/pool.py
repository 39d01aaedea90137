"""As many requests at once as there are connections; the others wait.

Each connection has a thread, and the two are a slot. A request waits for a slot on the
event loop, before it holds anything, and no thread waits for a connection: there is
nothing to deadlock on, however many clients come.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from anyio.to_thread import run_sync
from peewee import OperationalError

from .database import ContextDatabase, connect
from .scope import ConnectionScope, Holder, MakeConnection
from .transactions import in_snapshot

T = TypeVar("T")


class PoolTimeoutError(OperationalError):
    """No slot came free within the pool's timeout."""


class Slot:
    """A thread, and the connection that it keeps from one request to the next."""

    def __init__(self, connect: MakeConnection, free: Callable[["Slot"], None]) -> None:
        self._connect = connect
        self._free = free
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running = False
        self._given_back = False
        self.holder = Holder(connect)

    async def run(self, function: Callable[[], T]) -> T:
        """What the function returns, on the slot's thread and in this context.

        If the caller is cancelled, the function runs on, and so the slot is not free
        before it is done.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = copy_context()

        def done(result: T | None, exc: BaseException | None) -> None:
            self._running = False
            if not answer.done():
                if exc is None:
                    answer.set_result(result)  # type: ignore[arg-type]
                else:
                    answer.set_exception(exc)
            if self._given_back:
                self._given_back = False
                self._free(self)

        def job() -> None:
            try:
                result, error = context.run(function), None
            except BaseException as exc:
                result, error = None, exc
            loop.call_soon_threadsafe(done, result, error)

        self._running = True
        self._put(job)
        return await answer

    def give_back(self, scope: ConnectionScope) -> None:
        """End the scope, and let the next request have the slot; never blocks."""
        if not scope.end():
            self.holder = Holder(self._connect)
        elif not self.holder.end_use():
            self._put(self.holder.clean)
        if self._running:
            self._given_back = True
        else:
            self._free(self)

    def close(self) -> None:
        """Close the connection, and end the thread; blocks until that is done."""
        if self._thread:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        self.holder.close()

    def _put(self, job: Callable[[], object]) -> None:
        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name="peewee slot", daemon=True
            )
            self._thread.start()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            del job  # It would keep the request's objects until the next one comes.


class RequestScope(ConnectionScope):
    """The scope of a request: it has the slot that the request has."""

    def __init__(self, pool: "Pool", slot: Slot) -> None:
        super().__init__(slot.holder)
        self.pool = pool
        self.slot = slot
        self.task = asyncio.current_task()


class Pool:
    """Connections to one database, for at most `size` requests at once.

    The other requests wait as coroutines, for `timeout` seconds at most. `connect`
    makes one unopened connection, with `thread_safe=False`: `connector(url)` does.
    """

    def __init__(
        self,
        db: ContextDatabase,
        connect: MakeConnection,
        *,
        size: int,
        timeout: float,
    ) -> None:
        self.db = db
        self.timeout = timeout
        self._connect = connect
        self._slots = [Slot(connect, self._free) for _ in range(size)]
        # Last in, first out: the connection that was used last is warm.
        self._idle = list(self._slots)
        self._waiting: deque[asyncio.Future[Slot]] = deque()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[ContextDatabase]:
        """Open a scope for code on the event loop, when a slot has come free.

        Within a request of the same task it is that request's scope. Raises
        PoolTimeoutError if no slot comes free within the pool's timeout.
        """
        outer = self.db.scope
        if (
            isinstance(outer, RequestScope)
            and outer.pool is self
            and outer.task is asyncio.current_task()
        ):
            yield self.db
            return
        slot = await self._take()
        scope = RequestScope(self, slot)
        before = _request.get()
        _request.set(scope)
        try:
            with self.db.use(scope):
                yield self.db
        finally:
            # Not reset(): it may end in another task than the one it began in.
            _request.set(before)
            slot.give_back(scope)

    @contextmanager
    def connection(self) -> Iterator[ContextDatabase]:
        """Open a scope for a script, a shell or a thread.

        It waits for no slot: its connection comes on top of those of the requests.
        """
        with connect(self.db, self._connect) as db:
            yield db

    def close(self) -> None:
        """Close all connections, and end their threads; blocks until that is done."""
        for slot in self._slots:
            slot.close()

    async def _take(self) -> Slot:
        if self._idle:
            return self._idle.pop()
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Slot] = loop.create_future()
        self._waiting.append(waiting)
        timer = loop.call_later(self.timeout, self._expire, waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            # Both may have come at once.
            if not waiting.cancelled() and not waiting.exception():
                self._free(waiting.result())
            raise
        finally:
            timer.cancel()

    def _expire(self, waiting: asyncio.Future[Slot]) -> None:
        if not waiting.done():
            reason = f"no connection came free within {self.timeout:g} s"
            waiting.set_exception(PoolTimeoutError(reason))

    def _free(self, slot: Slot) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(slot)
                return
        self._idle.append(slot)


async def run(function: Callable[[], T], *, snapshot: bool = False) -> T:
    """Return what the function does, on the thread of the current request's slot.

    With `snapshot`, its queries all see one state of the database, and it may run again
    (see `in_snapshot`). Outside a request, on one of the framework's threads.
    """
    request = _request.get()
    if request is None:
        return await run_sync(function)
    if snapshot:
        function = partial(in_snapshot, request.pool.db, function)
    return await request.slot.run(function)


# The request that this code belongs to.
_request: ContextVar[RequestScope | None] = ContextVar("request", default=None)
