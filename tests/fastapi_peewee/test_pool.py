"""Slots: who gets one and when. None is ever lost."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any

import anyio
import psycopg
import pymysql
import pytest
from anyio.to_thread import run_sync
from fastapi import Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from peewee import Database, OperationalError

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Pool,
    PoolTimeoutError,
    connector,
    run,
    why_unavailable,
)

from ..engines import on
from .conftest import MakePool
from .notes import Note, add, client_of, count, db, make_app, texts_in

pytestmark = pytest.mark.anyio

MakeApp = Callable[[Pool], FastAPI]


async def assert_has_all_its_slots(pool: Pool, size: int = 1) -> None:
    """Hold all slots of the pool at once, and use each."""
    together = asyncio.Barrier(size)

    async def request() -> None:
        async with pool.request():
            await run(count)
            await together.wait()

    async with asyncio.timeout(10):
        await asyncio.gather(*(request() for _ in range(size)))


# Waiting on the event loop.


@on("sqlite", slow=["postgresql", "mariadb"])
async def test_requests_wait_as_coroutines_and_then_get_503(
    make_app: MakeApp, make_pool: MakePool
) -> None:
    # A busy machine takes a while to start 100 requests.
    app = make_app(make_pool(timeout=2))
    holding = asyncio.Event()
    let_go = asyncio.Event()

    @app.get("/hold")
    async def hold() -> None:
        holding.set()
        await let_go.wait()

    app.get("/")(count)

    async with client_of(app) as client:
        held = asyncio.create_task(client.get("/hold"))
        await asyncio.wait_for(holding.wait(), 5)
        # More than FastAPI has threads: blocked, they would leave none.
        waiting = [asyncio.create_task(client.get("/")) for _ in range(100)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(run_sync(lambda: "a thread"), 1)
        for response in await asyncio.gather(*waiting):
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            assert response.json()["detail"]
        let_go.set()
        assert (await held).status_code == 200
        assert (await client.get("/")).status_code == 200


async def test_many_more_clients_than_connections_are_all_served(
    make_app: MakeApp, make_pool: MakePool
) -> None:
    app = make_app(make_pool(size=2, timeout=20))
    now, most = 0, 0
    lock = threading.Lock()

    @app.get("/")
    def endpoint() -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        number = count()
        with lock:
            now -= 1
        return number

    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(300)))
    assert {answer.status_code for answer in answers} == {200}
    assert most == 2


# The event loop never blocks.


async def test_a_slow_connect_blocks_neither_the_loop_nor_another_request(
    make_app: MakeApp, make_pool: MakePool, url: str
) -> None:
    connect_at_once = connector(url)
    is_slow = True
    connecting = threading.Semaphore(0)
    may_connect = threading.Event()

    def connect() -> Database:
        if is_slow:
            connecting.release()
            assert may_connect.wait(10)
        return connect_at_once()

    app = make_app(make_pool(connect, size=3))

    @app.get("/{name}")
    async def endpoint(name: str) -> int:
        return await run_sync(count)

    @app.get("/abandon/{name}")
    async def abandon(name: str) -> None:
        """Leave a thread that is about to connect."""
        await run_sync(count, abandon_on_cancel=True)

    async with client_of(app) as client:
        slow = asyncio.create_task(client.get("/connect"))
        left = asyncio.create_task(client.get("/abandon/connect"))
        for _ in range(2):
            assert await run_sync(connecting.acquire, True, 5)
        is_slow = False
        left.cancel()
        start = time.monotonic()
        assert (await client.get("/other")).status_code == 200
        await asyncio.wait([left], timeout=5)
        assert time.monotonic() - start < 5
        assert not slow.done()
        may_connect.set()
        assert (await slow).status_code == 200
        for _ in range(5):
            assert (await client.get("/again")).status_code == 200


async def test_connections_are_opened_and_closed_off_the_event_loop(
    make_app: MakeApp, notes_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(notes_pool)
    threads: list[int] = []

    def watch(method: Callable[..., bool]) -> Callable[..., bool]:
        def watched(*args: Any, **kwargs: Any) -> bool:
            threads.append(threading.get_ident())
            return method(*args, **kwargs)

        return watched

    for name in ("connect", "close", "rollback"):
        monkeypatch.setattr(Database, name, watch(getattr(Database, name)))

    @app.get("/leave")
    def leave_transaction_open() -> None:
        db.begin()

    @app.get("/close")
    def close() -> None:
        count()
        db.close()

    async with client_of(app) as client:
        for path in ("/leave", "/close", "/leave"):
            assert (await client.get(path)).status_code == 200
    assert len(threads) >= 4
    assert threading.get_ident() not in threads


# Sharing a slot.


async def test_a_pool_entered_again_is_the_same_request(notes_pool: Pool) -> None:
    async with notes_pool.request() as outer:
        connection = await run(db.connection)
        async with notes_pool.request() as inner:
            assert inner is outer is db
            assert await run(db.connection) is connection
        assert await run(db.connection) is connection


async def test_tasks_of_a_request_share_its_slot(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)

    async def helper() -> int:
        async with notes_pool.request():
            return await run(lambda: id(db.connection()))

    @app.get("/")
    async def endpoint() -> int:
        together = await asyncio.gather(helper(), helper())
        return len({*together, await asyncio.wait_for(helper(), 5), await helper()})

    async with client_of(app) as client:
        assert (await client.get("/")).json() == 1


async def test_a_task_that_outlives_its_request_keeps_the_slot_until_it_is_done(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    entered, may_end = asyncio.Event(), asyncio.Event()
    tasks = []

    async def outlive() -> None:
        async with notes_pool.request():
            entered.set()
            await may_end.wait()
            await run(lambda: add("later"))

    @app.get("/")
    async def endpoint() -> None:
        tasks.append(asyncio.create_task(outlive()))
        await entered.wait()

    async with client_of(app) as client:
        assert (await client.get("/")).status_code == 200
    may_end.set()
    await asyncio.gather(*tasks)
    await assert_has_all_its_slots(notes_pool)
    assert await run_sync(texts_in, notes_pool) == ["later"]


async def test_two_pools_of_two_databases_keep_apart(
    notes_pool: Pool, tmp_path: Any
) -> None:
    other = ContextDatabase()
    other_pool = Pool(
        other, connector(f"sqlite:///{tmp_path}/other.db"), size=1, timeout=1
    )

    def both() -> tuple[int, list[str]]:
        with other.atomic(), db.atomic():
            add("here")
            return count(), other.get_tables()

    async with notes_pool.request(), other_pool.request():
        assert await run(both) == (1, [])
    async with other_pool.request(), notes_pool.request():
        assert await run(count) == 1
    await run_sync(other_pool.close)


async def test_runs_of_one_request_and_what_follows_take_turns(
    notes_pool: Pool,
) -> None:
    """Free the slot when the last of them is done."""
    may_go_on = threading.Event()
    order: list[str] = []

    async def first() -> None:
        async with notes_pool.request():
            for name in ("a", "b"):
                runs.append(asyncio.create_task(run(may_go_on.wait)))
                note = partial(order.append, name)
                runs.append(asyncio.create_task(run(note)))
            await asyncio.sleep(0.01)

    async def second() -> None:
        async with notes_pool.request():
            await run(lambda: order.append("second"))

    runs: list[asyncio.Task[Any]] = []
    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await asyncio.sleep(0.1)
    may_go_on.set()
    await asyncio.gather(*tasks, *runs)
    assert order == ["a", "b", "second"]


# A WebSocket.


def websocket_app(notes_pool: Pool) -> FastAPI:
    app = make_app(notes_pool)
    app.get("/")(count)

    @app.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await run(partial(add, text))
            async with notes_pool.request():
                await websocket.send_text(str(await run(count)))

    return app


def test_a_websocket_holds_no_connection_while_its_client_does_nothing(
    notes_pool: Pool,
) -> None:
    with TestClient(websocket_app(notes_pool)) as client:
        for number in range(1, 4):
            with client.websocket_connect("/ws") as websocket:
                assert client.get("/").json() == number - 1
                websocket.send_text(str(number))
                assert websocket.receive_text() == str(number)
                assert client.get("/").json() == number


# No slot is lost.


@pytest.mark.parametrize("error", [RuntimeError("can't start"), MemoryError()])
async def test_a_thread_that_cannot_start_costs_one_request_and_no_slot(
    make_app: MakeApp,
    notes_pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def start(thread: threading.Thread) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(OperationalError, match="no thread") as raised:
            async with notes_pool.request():
                await run(count)
    assert why_unavailable(raised.value) == "busy"
    await assert_has_all_its_slots(notes_pool)


async def test_nor_does_one_that_cannot_start_to_clean_up(
    notes_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_open() -> None:
        db.begin()
        add("lost")

    def start(thread: threading.Thread) -> None:
        raise RuntimeError

    async with notes_pool.request():
        await run_sync(leave_open)
        monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.undo()
    await assert_has_all_its_slots(notes_pool)
    assert await run_sync(texts_in, notes_pool) == []


@pytest.mark.parametrize(
    "name",
    ["copy_context", "RequestScope.__init__", "asyncio.get_running_loop"],
)
async def test_no_step_between_taking_and_giving_back_loses_a_slot(
    notes_pool: Pool, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*args: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(f"peewee_app.fastapi_peewee.pool.{name}", fail)
        with pytest.raises(MemoryError):
            async with notes_pool.request():
                await run(count)
    await assert_has_all_its_slots(notes_pool)


async def test_a_connection_that_cannot_be_made_loses_no_slot(
    make_pool: MakePool, url: str
) -> None:
    connect_to = connector(url)
    errors: list[Exception] = [OperationalError("gone"), TypeError("no such option")]

    def connect() -> Database:
        if errors:
            raise errors.pop()
        return connect_to()

    pool = make_pool(connect, size=2)
    for error in reversed(list(errors)):
        with pytest.raises(type(error)):
            async with pool.request():
                await run(count)
    await assert_has_all_its_slots(pool, size=2)


@pytest.mark.parametrize("kind", ["task", "scope", "timeout"])
async def test_cancelled_at_any_moment(make_pool: MakePool, kind: str) -> None:
    """Cancel at each of the first steps of the loop after its start."""
    pool = make_pool(size=2)

    async def request() -> None:
        async with pool.request():
            await run(count)
            async with pool.request():
                await run_sync(count)

    async def cancel_after(steps: int) -> None:
        with anyio.CancelScope() as scope:
            task = asyncio.create_task(request())
            for _ in range(steps):
                await asyncio.sleep(0)
            if kind == "task":
                task.cancel()
            elif kind == "scope":
                scope.cancel()
            else:
                await asyncio.wait([task], timeout=0.0005 * steps)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for steps in range(12):
        await asyncio.gather(*(cancel_after(steps) for _ in range(4)))
    await assert_has_all_its_slots(pool, size=2)


async def test_cancelled_while_a_slot_is_handed_over(notes_pool: Pool) -> None:
    async def request() -> None:
        async with notes_pool.request():
            pass

    async with notes_pool.request():
        waiting = asyncio.create_task(request(), context=Context())
        await asyncio.sleep(0)
    waiting.cancel()  # It has the slot by now, and has not run yet.
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await assert_has_all_its_slots(notes_pool)


def test_an_event_loop_that_is_closed_while_a_function_runs(notes_pool: Pool) -> None:
    may_end = threading.Event()

    async def request() -> None:
        async with notes_pool.request():
            await run(may_end.wait)

    async def leave() -> None:
        task = asyncio.create_task(request())
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(leave())
    may_end.set()
    time.sleep(0.05)
    asyncio.run(assert_has_all_its_slots(notes_pool))


def test_an_event_loop_that_is_closed_while_requests_wait(notes_pool: Pool) -> None:
    async def request() -> None:
        async with notes_pool.request():
            await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(request()) for _ in range(3)]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    for task in tasks:  # Like the garbage collector.
        task.get_coro().close()
        asyncio.run(assert_has_all_its_slots(notes_pool))


async def test_a_request_that_has_waited_too_long(make_pool: MakePool) -> None:
    pool = make_pool(timeout=0.05)
    async with pool.request():
        with pytest.raises(PoolTimeoutError, match=r"within 0\.05 s"):
            await asyncio.create_task(pool.request().__aenter__(), context=Context())
    await assert_has_all_its_slots(pool)


# The end.


async def test_closing_the_pool_closes_its_connections_and_ends_its_threads(
    make_pool: MakePool,
) -> None:
    pool = make_pool(size=2)

    def slots() -> int:
        return [thread.name for thread in threading.enumerate()].count("peewee slot")

    before = slots()
    async with pool.request():
        driver = await run(db.connection)
        assert slots() == before + 1
    await run_sync(pool.close)
    with pytest.raises((Exception, psycopg.Error, pymysql.Error)):
        driver.cursor().execute("SELECT 1")
    assert slots() == before


@on("sqlite")
@pytest.mark.skipif(sys.platform != "linux", reason="the policy is Linux's")
async def test_one_of_many_threads_interrupts_no_other(make_pool: MakePool) -> None:
    for size, policy in [(1, os.SCHED_OTHER), (2, os.SCHED_BATCH)]:
        async with make_pool(size=size).request():
            assert await run(partial(os.sched_getscheduler, 0)) == policy
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


async def test_run_outside_a_request_is_on_another_thread() -> None:
    assert await run(threading.get_ident) != threading.get_ident()


async def test_the_end_of_an_iterator_is_an_error_like_others(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    app.get("/")(lambda: next(iter(Note.select())))
    async with client_of(app) as client, asyncio.timeout(10):
        assert (await client.get("/")).status_code == 500
    await assert_has_all_its_slots(notes_pool)


async def test_a_dependency_can_ask_before_the_path_operation(
    notes_pool: Pool,
) -> None:
    app = make_app(notes_pool)

    def first() -> int:
        return count()

    @app.get("/")
    async def endpoint(before: int = Depends(first)) -> int:
        return before + await run(count)

    async with client_of(app) as client:
        assert (await client.get("/")).json() == 0
