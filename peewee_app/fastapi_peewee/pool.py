"""Pool of connections: one request for each at once; the others wait.

Each connection has a thread, and the two are a slot. A request waits for a slot on the
event loop, before it holds anything, and no thread waits for a connection: nothing can
deadlock, however many clients come.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from peewee import Database, OperationalError

from .database import ContextDatabase, connect
from .registered import MakeConnection
from .scope import ConnectionScope, close, is_clean, set_to
from .transactions import in_snapshot

T = TypeVar("T")


class PoolTimeoutError(OperationalError):
    """No slot came free within the pool's timeout."""


class Slot:
    """A thread, and the connection that it keeps from one request to the next."""

    def __init__(self, free: Callable[["Slot"], None], *, is_one_of_many: bool) -> None:
        self._free = free
        self._is_one_of_many = is_one_of_many
        # Connection of the last request, if it has made one.
        self.kept: Database | None = None
        # The request and its functions: the slot is free after the last of them.
        self.users = 0
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Call the function on the slot's thread, in this context.

        If the caller is cancelled, the function runs on, and the slot is free when it
        is done. Raises OperationalError if no thread can start.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = copy_context()

        def done(set_answer: Callable[[Any], None], value: object) -> None:
            self._end_use()
            if not answer.done():
                set_answer(value)

        def job() -> None:
            outcome: tuple[Callable[[Any], None], object]
            try:
                outcome = answer.set_result, context.run(function)
            except StopIteration as exc:  # No future takes it.
                error = RuntimeError("The function raised StopIteration.")
                error.__cause__ = exc
                outcome = answer.set_exception, error
            except BaseException as exc:
                outcome = answer.set_exception, exc
            try:
                loop.call_soon_threadsafe(done, *outcome)
            except RuntimeError:  # The loop is closed, and nobody waits.
                self._end_use()

        self.start()
        self._jobs.put(job)
        self.users += 1
        return answer

    def _end_use(self) -> None:
        self.users -= 1
        if not self.users:
            self._free(self)

    def give_back(self, scope: ConnectionScope) -> None:
        """End the scope, and let the next request have the slot; never block."""
        self.kept = scope.end()
        if self.kept and not is_clean(self.kept):
            self._jobs.put(partial(close, self.kept))
            self.kept = None
            with suppress(OperationalError):  # Then the next request's thread does it.
                self.start()
        self._end_use()

    def close(self) -> None:
        """Close the connection, and end the thread; block until that is done."""
        self._jobs.put(None)
        if self._thread:
            self._thread.join()
            self._thread = None
        else:
            self._work()
        if self.kept:
            close(self.kept)

    def start(self) -> None:
        """Start the thread; raise OperationalError if it cannot."""
        if self._thread:
            return
        thread = threading.Thread(
            target=self._run_thread, name="peewee slot", daemon=True
        )
        try:
            thread.start()
        except (RuntimeError, MemoryError) as exc:
            raise OperationalError(f"no thread for a connection: {exc}") from exc
        self._thread = thread

    def _run_thread(self) -> None:
        if self._is_one_of_many:
            let_others_finish()
        self._work()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            del job  # It would keep the request's objects until the next one comes.


class RequestScope(ConnectionScope):
    """Scope of a request, with the request's slot."""

    slot: Slot

    def __init__(self, pool: "Pool") -> None:
        super().__init__(pool.connect, pool.db.registered)
        self.pool = pool
        # Number of users: it ends with the last one.
        self.users = 0


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
        self.connect = connect
        self._slots = [Slot(self._free, is_one_of_many=size > 1) for _ in range(size)]
        # Last in, first out: the connection that was used last is warm.
        self._idle = list(self._slots)
        self._waiting: deque[asyncio.Future[Slot]] = deque()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[ContextDatabase]:
        """Open a scope for code on the event loop, when a slot is free.

        Within a request, also in a task that the request has started, it is that
        request's scope, which ends with its last user. In `idling` code it holds
        nothing: each `run` gets a scope of its own. Raises PoolTimeoutError if no slot
        comes free within the pool's timeout.
        """
        pools = idling.get()
        if pools is not None and self not in pools:
            with set_to(idling, (*pools, self)):
                yield self.db
            return
        scope = self.db.current.get()
        if not (isinstance(scope, RequestScope) and scope.pool is self and scope.users):
            scope = RequestScope(self)
            scope.slot = slot = await self._take()
            slot.users += 1
            scope.made = slot.kept
        scope.users += 1
        try:
            with set_to(_request, scope), set_to(self.db.current, scope):
                yield self.db
        finally:
            scope.users -= 1
            if not scope.users:
                scope.slot.give_back(scope)

    @contextmanager
    def connection(self) -> Iterator[ContextDatabase]:
        """Open a scope for a script, a shell or a thread.

        It waits for no slot: its connection is an additional one.
        """
        with connect(self.db, self.connect) as db:
            yield db

    def check(self) -> None:
        """Raise OperationalError if the next request has no thread."""
        for slot in self._idle[-1:]:
            slot.start()

    def close(self) -> None:
        """Close all connections, and end their threads; block until that is done."""
        for slot in self._slots:
            slot.close()

    async def _take(self) -> Slot:
        if self._idle:
            return self._idle.pop()
        waiting: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self.timeout):
                return await waiting
        except BaseException as exc:
            with suppress(ValueError):
                self._waiting.remove(waiting)
            if waiting.done() and not waiting.cancelled():  # Both at once.
                self._free(waiting.result())
            if isinstance(exc, TimeoutError):
                reason = f"no connection came free within {self.timeout:g} s"
                raise PoolTimeoutError(reason) from None
            raise

    def _free(self, slot: Slot) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done() and not waiting.get_loop().is_closed():
                waiting.set_result(slot)
                return
        self._idle.append(slot)


def let_others_finish() -> None:
    """Let this thread interrupt no other when it wakes, as far as the system can.

    The other has the interpreter, so that this one would have to wait at once.
    `python -m docs.measure_cores` shows what that costs.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def run(function: Callable[[], T], *, snapshot: bool = False) -> T:
    """Call the function on the current request's slot; return its result.

    With `snapshot`, its queries all see one state of the database, and it may run again
    (see `in_snapshot`). Outside a request, on one of the framework's threads.
    """
    request = _request.get()
    if request and request.users:
        if snapshot:
            function = partial(in_snapshot, request.pool.db, function)
        return await request.slot.run(function)
    pools = idling.get()
    if not pools:
        return await run_sync(function)
    async with AsyncExitStack() as stack:
        for pool in pools:
            await stack.enter_async_context(pool.request())
        return await run(function, snapshot=snapshot)


# The request that this code belongs to.
_request: ContextVar[RequestScope | None] = ContextVar("request", default=None)
# Pools from which code that waits long between its queries, such as a WebSocket's,
# takes a slot for each `run`; None for other code.
idling: ContextVar[tuple[Pool, ...] | None] = ContextVar("idling", default=None)
