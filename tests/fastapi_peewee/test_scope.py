"""Connection of one request, and its guarantees."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from peewee import IntegrityError, OperationalError, SqliteDatabase

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    NoConnectionError,
    Pool,
    SharedTransactionError,
    connect,
    connector,
    run,
)
from peewee_app.fastapi_peewee.scope import EventLoopError

from ..engines import on
from .conftest import MakePool
from .notes import (
    Note,
    NoteOut,
    add,
    check_that_slow_clients_hold_no_connection,
    client_of,
    count,
    db,
    texts,
    texts_in,
)

pytestmark = pytest.mark.anyio

MakeApp = Callable[[Pool], FastAPI]


def connection() -> int:
    """Return this code's connection id."""
    return id(db.connection())


# One request, one connection.


async def test_all_code_of_a_request_sees_one_connection(
    make_app: MakeApp, make_pool: MakePool
) -> None:
    app = make_app(make_pool(size=10))
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((connection(), threading.get_ident()))

    async def async_dependency() -> None:
        await run(look)

    def sync_dependency() -> Iterator[None]:
        look()
        yield
        look()

    dependencies = [
        Depends(async_dependency),
        Depends(sync_dependency, scope="function"),
    ]

    @app.get("/sync", response_model=NoteOut, dependencies=dependencies)
    def sync_endpoint() -> Note:
        look()
        return Note(text="a")

    @app.get("/async", response_model=NoteOut, dependencies=dependencies)
    async def async_endpoint() -> Note:
        await run_sync(look)
        await asyncio.gather(run(look), run(look))
        return Note(text="a")

    async with client_of(app) as client:
        for path in ("/sync", "/async"):
            seen.clear()
            assert (await client.get(path)).json() == {"text": "a"}
            connections, threads = zip(*seen, strict=True)
            assert len(seen) >= 4
            assert len(set(connections)) == 1
            assert len(set(threads)) > 1


async def test_ten_overlapping_slow_requests_have_ten_connections(
    make_app: MakeApp, make_pool: MakePool
) -> None:
    """Repeat the demonstration of FastAPI's old how-to."""
    app = make_app(make_pool(size=10))
    together = threading.Barrier(10, timeout=5)

    @app.get("/slowusers/")
    def read_slow_users() -> tuple[int, int]:
        before = connection()
        together.wait()
        time.sleep(0.1)
        return before, connection()

    async with client_of(app) as client:
        answers = await asyncio.gather(
            *(client.get("/slowusers/") for _ in range(10)),
        )
    pairs = [answer.json() for answer in answers]
    assert all(before == after for before, after in pairs)
    assert len({before for before, _ in pairs}) == 10


async def test_two_threads_of_a_request_share_its_connection_from_the_first_query_on(
    make_app: MakeApp, make_pool: MakePool
) -> None:
    app = make_app(make_pool(size=10))
    together = threading.Barrier(4, timeout=5)

    def look() -> int:
        together.wait()
        return connection()

    @app.get("/")
    async def endpoint() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(look) for _ in range(4)))

    async with client_of(app) as client:
        for _ in range(20):
            assert len(set((await client.get("/")).json())) == 1


async def test_the_next_request_reuses_the_connection(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    app.get("/")(connection)
    async with client_of(app) as client:
        assert len({(await client.get("/")).text for _ in range(3)}) == 1


# No connection before the first query or after the end.


def test_nothing_is_opened_before_the_first_query(notes_pool: Pool) -> None:
    with notes_pool.connection():
        assert db.is_closed()
        assert db.for_update in (True, False)
        assert db.is_closed()
        count()
        assert not db.is_closed()


async def test_slow_clients_hold_no_connection(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    await check_that_slow_clients_hold_no_connection(make_app(notes_pool))


# No scope, no connection.


def test_a_query_outside_a_scope_says_how_to_open_one(notes_pool: Pool) -> None:
    with pytest.raises(NoConnectionError, match=r"with pool\.connection\(\):"):
        count()
    with pytest.raises(NoConnectionError):
        db.execute_sql("SELECT 1")
    with pytest.raises(NoConnectionError), db.atomic():
        pass


async def test_what_outlives_the_request_has_no_connection_but_can_open_its_own(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    outcome: dict[str, Any] = {}
    thread_may_run = threading.Event()

    def query(name: str) -> None:
        try:
            outcome[name] = count()
        except NoConnectionError as exc:
            outcome[name] = exc

    def query_with_own_scope() -> None:
        with notes_pool.connection():
            query("own sync scope")

    async def query_with_own_async_scope() -> None:
        async with notes_pool.request():
            await run(lambda: query("own async scope"))

    async def thread_that_outlives() -> None:
        await run_sync(thread_may_run.wait)
        await run_sync(query, "thread")
        await run(lambda: query("run"))

    @app.get("/")
    async def endpoint(background: BackgroundTasks) -> None:
        await run_sync(query, "request")
        outcome["task"] = asyncio.create_task(thread_that_outlives())
        background.add_task(query, "background")
        background.add_task(query_with_own_scope)
        background.add_task(query_with_own_async_scope)

    async with client_of(app) as client:
        assert (await client.get("/")).status_code == 200
    thread_may_run.set()
    await outcome.pop("task")
    assert outcome.pop("request") == 0
    assert outcome.pop("own sync scope") == 0
    assert outcome.pop("own async scope") == 0
    assert outcome.keys() == {"background", "thread", "run"}
    assert all(isinstance(exc, NoConnectionError) for exc in outcome.values())


async def test_a_stream_cannot_query_after_its_response_has_started(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    raised = []

    def rows() -> Iterator[str]:
        yield "start"
        try:
            count()
        except NoConnectionError as exc:
            raised.append(exc)

    @app.get("/")
    def stream() -> StreamingResponse:
        return StreamingResponse(rows())

    async with client_of(app) as client:
        assert (await client.get("/")).text == "start"
    assert len(raised) == 1


def test_a_scope_of_its_own_within_a_transaction(notes_pool: Pool) -> None:
    with notes_pool.connection(), db.atomic():
        with notes_pool.connection():
            db.begin(*([] if db.for_update else ["DEFERRED"]))
            assert texts() == []
            db.rollback()
        add("a")
        assert texts() == ["a"]


# No query on the event loop.


async def test_a_query_on_the_event_loop_is_an_error_that_says_what_to_write(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    errors: list[Exception] = []

    async def dependency() -> None:
        for query in (count, db.connect, db.begin, lambda: add("a"), db.get_tables):
            with pytest.raises(EventLoopError, match=r"await run\(function\)") as error:
                query()
            errors.append(error.value)

    @app.get("/", dependencies=[Depends(dependency)])
    async def endpoint() -> int:
        with pytest.raises(EventLoopError, match="`def`"):
            count()
        return await run(count)

    async with client_of(app) as client:
        assert (await client.get("/")).json() == 0
    assert len(errors) == 5


async def test_a_script_may_block_its_event_loop(url: str, notes_pool: Pool) -> None:
    with connect(db, url), pytest.raises(EventLoopError, match="may_block=True"):
        count()
    with connect(db, url, may_block=True):
        assert count() == 0


# Every exit.


async def test_every_exit_rolls_back_and_returns_the_connection(
    make_app: MakeApp, notes_pool: Pool
) -> None:
    app = make_app(notes_pool)
    entered = asyncio.Event()

    @app.get("/raise")
    def raise_error() -> None:
        db.begin()
        add("raise")
        raise RuntimeError

    @app.get("/http")
    def raise_http_error() -> None:
        with db.atomic():
            add("http")
            raise HTTPException(418)

    @app.get("/leave")
    def leave_transaction_open() -> None:
        db.session_start()
        add("leave")

    @app.get("/response", response_model=int)
    def wrong_response() -> str:
        db.begin()
        add("response")
        return "not an int"

    @app.get("/validate")
    def validate(limit: int = Query(le=1)) -> None:
        add("validate")

    @app.get("/close")
    def close() -> None:
        count()
        db.close()

    @app.get("/cancel")
    async def wait_to_be_cancelled() -> None:
        await run(db.begin)
        entered.set()
        await asyncio.sleep(60)

    @app.get("/ok")
    def ok(text: str) -> None:
        add(text)

    expected = {
        "raise": 500,
        "http": 418,
        "leave": 200,
        "response": 500,
        "validate?limit=2": 422,
        "close": 200,
    }
    async with client_of(app) as client:
        for number, (path, status) in enumerate(expected.items()):
            assert (await client.get("/" + path)).status_code == status
            # The pool has one slot: this times out if it was not returned.
            response = await client.get("/ok", params={"text": number})
            assert response.status_code == 200
        cancelled = asyncio.create_task(client.get("/cancel"))
        await asyncio.wait_for(entered.wait(), 5)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert (await client.get("/ok?text=last")).status_code == 200
    stored = await run_sync(texts_in, notes_pool)
    assert stored == ["0", "1", "2", "3", "4", "5", "last"]


async def test_cancelled_before_the_exit_still_rolls_back(notes_pool: Pool) -> None:
    def leave_open() -> None:
        db.begin()
        add("lost")

    with anyio.CancelScope() as request:
        async with notes_pool.request():
            await run_sync(leave_open)
            request.cancel()
    async with notes_pool.request():
        assert await run(count) == 0


# Threads that share a scope, or outlive it.


def in_threads(*works: Callable[[], None]) -> None:
    """Do all works at once, in this scope; raise their errors."""
    errors: list[BaseException] = []

    def work_or_tell(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as exc:
            errors.append(exc)

    threads = [
        threading.Thread(target=copy_context().run, args=(work_or_tell, work))
        for work in works
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_each_thread_gets_its_own_ids_and_rows(notes_pool: Pool) -> None:
    def work(thread: int) -> None:
        for number in range(25):
            name = f"{thread}-{number}"
            note = add(name)
            assert Note.get_by_id(note).text == name
            assert f"{thread}-0" in texts()

    with notes_pool.connection():
        in_threads(*(lambda n=n: work(n) for n in range(4)))
        assert count() == 100


def test_a_statement_in_another_threads_transaction_is_an_error(
    notes_pool: Pool,
) -> None:
    begun, tried = threading.Event(), threading.Event()

    def transaction() -> None:
        with db.atomic():
            add("a")
            begun.set()
            tried.wait(20)

    def intrude() -> None:
        begun.wait(20)
        try:
            actions = (lambda: add("b"), texts, db.begin, db.get_tables)
            for action in (*actions, db.atomic().__enter__):
                with pytest.raises(SharedTransactionError, match=r"pool\.connection"):
                    action()
            with notes_pool.connection():
                assert texts() == []
        finally:
            tried.set()

    with notes_pool.connection():
        in_threads(transaction, intrude)
        assert texts() == ["a"]


def test_what_is_acknowledged_is_stored_and_nothing_else(notes_pool: Pool) -> None:
    stored: set[str] = set()

    def roll_back_or_commit() -> None:
        for number in range(40):
            try:
                with db.atomic() as transaction:
                    add(f"transaction {number}")
                    if number % 2:
                        transaction.rollback()
                if not number % 2:
                    stored.add(f"transaction {number}")
            except SharedTransactionError:
                pass

    def write_alone() -> None:
        for number in range(120):
            try:
                add(f"alone {number}")
                stored.add(f"alone {number}")
            except SharedTransactionError:
                pass

    with notes_pool.connection():
        in_threads(roll_back_or_commit, write_alone)
        assert not db.in_transaction()
    assert set(texts_in(notes_pool)) == stored


@pytest.mark.parametrize("native", [True, False])
async def test_a_thread_that_a_cancelled_request_leaves_behind(
    notes_pool: Pool, native: bool
) -> None:
    """Roll its transaction back, and let it do no more."""
    begun, may_go_on = threading.Event(), threading.Event()
    outcome: list[BaseException] = []
    gone = threading.Event()

    def left_behind() -> None:
        try:
            with db.atomic():
                add("a")
                begun.set()
                may_go_on.wait(20)
                add("b")
        except BaseException as exc:
            outcome.append(exc)
        finally:
            gone.set()

    async def request() -> None:
        async with notes_pool.request():
            await run_sync(left_behind, abandon_on_cancel=True)

    if native:
        task = asyncio.create_task(request())
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(request)
            await asyncio.to_thread(begun.wait, 20)
            group.cancel_scope.cancel()
    async with notes_pool.request():
        assert not await run_sync(db.in_transaction)
        assert await run_sync(texts) == []
        await run_sync(add, "c")
        may_go_on.set()
        await asyncio.to_thread(gone.wait, 20)
        await run_sync(add, "d")
    assert isinstance(outcome[0], NoConnectionError)
    async with notes_pool.request():
        assert await run_sync(texts) == ["c", "d"]


async def test_a_new_scope_is_in_no_transaction_of_the_last_one(
    notes_pool: Pool,
) -> None:
    """Also before its first statement."""
    for _ in range(2):
        async with notes_pool.request():
            assert not await run_sync(db.in_transaction)
            await run_sync(db.session_start)
            assert await run_sync(db.in_transaction)


async def test_the_loop_waits_for_no_statement_that_was_left_behind(url: str) -> None:
    here = ContextDatabase()
    pool = Pool(here, connector(url), size=1, timeout=5)
    running, may_end = threading.Event(), threading.Event()

    def wait(_event: object) -> None:
        running.set()
        may_end.wait(20)

    here.query_hooks.append(wait)
    async with pool.request():
        statement = asyncio.create_task(run(lambda: here.execute_sql("SELECT 1")))
        await asyncio.to_thread(running.wait, 20)
        context = copy_context()
    start = time.monotonic()
    with pytest.raises(NoConnectionError):
        context.run(here.execute_sql, "SELECT 1")
    assert time.monotonic() - start < 10
    may_end.set()
    await statement
    await run_sync(pool.close)


LEFT_BEHIND = """
import asyncio, sys
from anyio.to_thread import run_sync
from peewee_app.fastapi_peewee import NoConnectionError, Pool, connector
from tests.fastapi_peewee.notes import Note, add, count, db, texts

pool = Pool(db, connector(sys.argv[1]), size=2, timeout=20)

def read():
    try:
        while True:
            texts()
    except NoConnectionError:
        pass

async def request(number):
    async with pool.request():
        await run_sync(add, str(number))
        try:
            async with asyncio.timeout(0.002):
                await run_sync(read, abandon_on_cancel=True)
        except TimeoutError:
            pass

async def main():
    for number in range(0, 100, 4):
        await asyncio.gather(*(request(number + n) for n in range(4)))

with pool.connection(), db.atomic():
    Note.insert_many([{"text": str(-n)} for n in range(1, 400)]).execute()
asyncio.run(main())
pool.close()
with pool.connection():
    print(count())
"""


@on("sqlite", slow=["postgresql", "mariadb"])
def test_threads_left_behind_break_nothing(url: str, notes_pool: Pool) -> None:
    """Use a new process: this could break the interpreter."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", LEFT_BEHIND, url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "499\n"), done.stderr


# The connection, as a program asks for it.


def test_connect_and_close_are_those_of_the_scope(notes_pool: Pool) -> None:
    with notes_pool.connection():
        assert db.is_closed()
        assert db.connect()
        with pytest.raises(OperationalError, match="already opened"):
            db.connect()
        assert not db.connect(reuse_if_open=True)
        with db.atomic(), pytest.raises(OperationalError, match="transaction"):
            db.close()
        assert db.close()
        assert not db.close()
        assert db.is_closed()
        assert count() == 0
    assert db.is_closed()
    assert not db.close()
    with pytest.raises(NoConnectionError):
        db.connect()


def test_a_database_is_its_own_context_manager(notes_pool: Pool) -> None:
    with notes_pool.connection():
        with db:
            add("kept")
            with pytest.raises(IntegrityError), db:
                Note.insert_many([{"text": "lost"}, {"text": "kept"}]).execute()
        with db.connection_context():
            assert texts() == ["kept"]
        assert db.is_closed()


def test_a_database_for_each_thread_is_refused() -> None:
    other = ContextDatabase()
    with (
        connect(other, lambda: SqliteDatabase(":memory:")),
        pytest.raises(TypeError, match="thread_safe=False"),
    ):
        other.execute_sql("SELECT 1")
