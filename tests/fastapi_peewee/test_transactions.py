"""Snapshots and retries; real deadlocks are in the engines' tests."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import pytest
from peewee import OperationalError, SqliteDatabase

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connect, run
from peewee_app.fastapi_peewee.transactions import ATTEMPTS, in_snapshot, run_again

from ..engines import on
from .conftest import MakePool
from .notes import Note, add, count, db, texts

pytestmark = pytest.mark.anyio


def failing(times: int) -> tuple[Callable[[], int], list[int]]:
    """Return a function that fails `times` times, and its attempts."""
    attempts: list[int] = []

    def function() -> int:
        attempts.append(len(attempts) + 1)
        if len(attempts) <= times:
            raise OperationalError(f"of a row: secret {len(attempts)}")
        return attempts[-1]

    return function, attempts


def test_run_again_gives_up_after_so_many_attempts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for times in range(ATTEMPTS):
        function, attempts = failing(times)
        assert run_again(function, lambda exc: 40001) == len(attempts) == times + 1
    function, attempts = failing(ATTEMPTS)
    with pytest.raises(OperationalError):
        run_again(function, lambda exc: 40001)
    assert len(attempts) == ATTEMPTS
    assert "OperationalError 40001" in caplog.text
    assert "secret" not in caplog.text


def test_run_again_does_not_hide_another_error() -> None:
    function, attempts = failing(1)
    with pytest.raises(OperationalError):
        run_again(function, lambda exc: None)
    assert attempts == [1]


def test_atomic_as_a_decorator_is_a_transaction_each_time(notes_pool: Pool) -> None:
    @db.atomic()
    def two(first: str, second: str) -> int:
        """Add two notes."""
        add(first)
        add(second)
        return count()

    assert (two.__name__, two.__doc__) == ("two", "Add two notes.")
    with notes_pool.connection():
        assert two("a", second="b") == 2
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            two("c", "a")
        assert texts() == ["a", "b"]
        with db.atomic():
            two("c", "d")
        assert count() == 4


def write_elsewhere(pool: Pool, text: str) -> None:
    """Write on another connection, on another thread."""

    def write() -> None:
        with pool.connection():
            add(text)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()


async def test_a_snapshot_sees_one_state_of_the_database(notes_pool: Pool) -> None:
    def read_twice() -> tuple[int, int]:
        before = count()
        write_elsewhere(notes_pool, f"{before}")
        return before, count()

    async with notes_pool.request():
        assert await run(read_twice, snapshot=True) == (0, 0)
        assert await run(read_twice) == (1, 2)
        assert await run(count) == 2
        assert not await run(db.in_transaction)


async def test_a_snapshot_within_a_transaction_is_that_transaction(
    notes_pool: Pool,
) -> None:
    def in_transaction() -> int:
        with db.atomic() as transaction:
            add("a")
            seen = in_snapshot(db, count)
            transaction.rollback()
        return seen

    async with notes_pool.request():
        assert await run(in_transaction) == 1
        assert await run(count) == 0


async def test_an_error_in_a_snapshot_is_raised_and_rolls_back(
    notes_pool: Pool,
) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        add("lost")
        raise ZeroDivisionError

    async with notes_pool.request():
        with pytest.raises(ZeroDivisionError):
            await run(fail, snapshot=True)
        assert await run(count) == 0
    assert calls == [1]


@on("sqlite", "postgresql")
async def test_what_can_never_write_in_a_snapshot_writes_without(
    make_pool: MakePool,
) -> None:
    """Change the row between its read and its write, each time."""
    pool = make_pool(size=2)
    seen: list[tuple[bool, str]] = []

    def change_elsewhere() -> None:
        with pool.connection():
            Note.update(text=f"other {len(seen)}").execute()

    def read_and_write() -> None:
        in_transaction = db.in_transaction()
        seen.append((in_transaction, Note.get().text))
        if in_transaction:
            thread = threading.Thread(target=change_elsewhere)
            thread.start()
            thread.join()
        Note.update(text="own").execute()

    async with pool.request():
        await run(partial(add, "first"))
        await run(read_and_write, snapshot=True)
        assert await run(texts) == ["own"]
    others = [(True, f"other {number}") for number in range(1, ATTEMPTS)]
    assert seen == [(True, "first"), *others, (False, f"other {ATTEMPTS}")]


async def test_views_that_are_counted_by_many_are_all_counted(
    make_pool: MakePool,
) -> None:
    pool = make_pool(size=4, timeout=20)

    def view() -> str:
        Note.update(text=Note.text.concat("+")).execute()
        return Note.get().text

    async def request() -> None:
        async with pool.request():
            await run(view, snapshot=True)

    async with pool.request():
        await run(partial(add, "+"))
    await asyncio.gather(*(request() for _ in range(12)))
    async with pool.request():
        assert await run(texts) == ["+" * 13]


def test_a_plain_database_has_no_snapshot() -> None:
    here = ContextDatabase()

    def ask() -> bool:
        here.execute_sql("SELECT 1")
        return bool(here.in_transaction())

    with connect(here, lambda: SqliteDatabase(":memory:", thread_safe=False)):
        assert in_snapshot(here, ask) is False
        assert here.atomic()(ask)() is True
