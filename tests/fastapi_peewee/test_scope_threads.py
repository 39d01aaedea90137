"""Threads that share a scope, or are left behind by one."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context

import anyio
import pytest
from anyio.to_thread import run_sync

from peewee_app.database import db
from peewee_app.fastapi_peewee import NoConnectionError, Pool, SharedTransactionError
from peewee_app.models import User

pytestmark = pytest.mark.anyio


def create(name: str) -> User:
    return User.create(email=name, hashed_password="")


def emails() -> set[str]:
    return {user.email for user in User.select()}


def in_threads(*works: Callable[[], None]) -> None:
    """Do all of it at once, in this scope; raise what one of them raises."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as exc:
            errors.append(exc)

    threads = [
        threading.Thread(target=copy_context().run, args=(run, work)) for work in works
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_each_thread_gets_its_own_ids_and_rows(pool: Pool) -> None:
    def work(thread: int) -> None:
        for number in range(25):
            name = f"{thread}-{number}"
            user = create(name)
            assert User.get_by_id(user.id).email == name
            assert f"{thread}-0" in [row.email for row in User.select()]

    with pool.connection():
        in_threads(*(lambda n=n: work(n) for n in range(4)))
        assert len(emails()) == 100


def test_a_statement_in_another_threads_transaction_is_an_error(pool: Pool) -> None:
    begun, tried = threading.Event(), threading.Event()

    def transaction() -> None:
        with db.atomic():
            create("a")
            begun.set()
            tried.wait(20)

    def intrude() -> None:
        begun.wait(20)
        try:
            actions = (lambda: create("b"), emails, db.begin, db.get_tables)
            for action in (*actions, db.atomic().__enter__):
                with pytest.raises(SharedTransactionError, match=r"pool\.connection"):
                    action()
            with pool.connection():
                assert emails() == set()
        finally:
            tried.set()

    with pool.connection():
        in_threads(transaction, intrude)
        assert emails() == {"a"}


def test_a_scope_of_its_own_within_a_transaction(pool: Pool) -> None:
    with pool.connection(), db.atomic():
        with pool.connection():
            db.begin(*([] if db.for_update else ["DEFERRED"]))
            assert emails() == set()
            db.rollback()
        create("a")
        assert emails() == {"a"}


def test_what_is_acknowledged_is_stored_and_nothing_else(pool: Pool) -> None:
    stored: set[str] = set()

    def roll_back_or_commit() -> None:
        for number in range(40):
            try:
                with db.atomic() as transaction:
                    create(f"transaction {number}")
                    if number % 2:
                        transaction.rollback()
                if not number % 2:
                    stored.add(f"transaction {number}")
            except SharedTransactionError:
                pass

    def write_alone() -> None:
        for number in range(120):
            try:
                create(f"alone {number}")
                stored.add(f"alone {number}")
            except SharedTransactionError:
                pass

    with pool.connection():
        in_threads(roll_back_or_commit, write_alone)
        assert not db.in_transaction()
    with pool.connection():
        assert emails() == stored


@pytest.mark.parametrize("native", [True, False])
async def test_a_thread_that_a_cancelled_request_leaves_behind(
    pool: Pool, native: bool
) -> None:
    """Its transaction is rolled back, and it gets no further."""
    begun, may_go_on = threading.Event(), threading.Event()
    outcome: list[BaseException] = []
    gone = threading.Event()

    def left_behind() -> None:
        try:
            with db.atomic():
                create("a")
                begun.set()
                may_go_on.wait(20)
                create("b")
        except BaseException as exc:
            outcome.append(exc)
        finally:
            gone.set()

    async def request() -> None:
        async with pool.request():
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
    async with pool.request():
        assert not await run_sync(db.in_transaction)
        assert await run_sync(emails) == set()
        await run_sync(create, "c")
        may_go_on.set()
        await asyncio.to_thread(gone.wait, 20)
        await run_sync(create, "d")
    assert isinstance(outcome[0], NoConnectionError)
    async with pool.request():
        assert await run_sync(emails) == {"c", "d"}


LEFT_BEHIND = """
import asyncio, sys
from anyio.to_thread import run_sync
from peewee_app.database import db
from peewee_app.fastapi_peewee import NoConnectionError, Pool, connector
from peewee_app.migrations import migrate
from peewee_app.models import User

connect = connector(sys.argv[1])
migrate(connect)
pool = Pool(db, connect, size=2, timeout=20)

def read():
    try:
        while True:
            for user in User.select():
                user.email
    except NoConnectionError:
        pass

async def request(number):
    async with pool.request():
        await run_sync(lambda: User.create(email=str(number), hashed_password=""))
        try:
            async with asyncio.timeout(0.002):
                await run_sync(read, abandon_on_cancel=True)
        except TimeoutError:
            pass

async def main():
    with pool.connection(), db.atomic():
        rows = [(str(-n), "") for n in range(1, 400)]
        User.insert_many(rows, fields=[User.email, User.hashed_password]).execute()
    for number in range(0, 100, 4):
        await asyncio.gather(*(request(number + n) for n in range(4)))
    pool.close()
    with pool.connection():
        print(User.select().count())

asyncio.run(main())
"""


def test_threads_left_behind_break_nothing(url: str) -> None:
    """In a process of its own: what it could break is the interpreter."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", LEFT_BEHIND, url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "499\n"), done.stderr
