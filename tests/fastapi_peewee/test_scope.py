"""What must hold of a request's connection, with the dependency and the middleware."""

import ast
import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psycopg
import pymysql
import pytest
from anyio.to_thread import run_sync
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from peewee import Database, OperationalError

import peewee_app
from peewee_app.database import Db, db, get_db
from peewee_app.fastapi_peewee import (
    DatabaseMiddleware,
    NoConnectionError,
    PeeweeGetterDict,
    PeeweeRoute,
    Pool,
    add_database_error_handlers,
    connector,
    run,
)
from peewee_app.migrations import migrate
from peewee_app.models import User
from peewee_app.web.body_limit import BodyLimitMiddleware
from peewee_app.web.errors import add_error_handlers

from ..engines import on

pytestmark = pytest.mark.anyio

MakeApp = Callable[[Pool], FastAPI]


def with_dependency(pool: Pool) -> FastAPI:
    app = FastAPI(dependencies=[Depends(get_db, scope="function")])
    app.state.pool = pool
    add_error_handlers(app)
    add_database_error_handlers(app)
    return app


def with_route_class(pool: Pool) -> FastAPI:
    app = with_dependency(pool)
    app.router.route_class = PeeweeRoute
    return app


def with_middleware(pool: Pool) -> FastAPI:
    app = FastAPI()
    app.state.pool = pool
    add_error_handlers(app)
    add_database_error_handlers(app)
    app.add_middleware(DatabaseMiddleware, pool=pool)
    app.add_middleware(BodyLimitMiddleware, limit=1000)
    return app


@pytest.fixture(params=[with_dependency, with_route_class, with_middleware])
def make_app(request: pytest.FixtureRequest) -> MakeApp:
    make_app: MakeApp = request.param
    return make_app


def with_state(app: FastAPI) -> Any:
    """The app with what its lifespan would give each request."""

    async def called(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"state": {"pool": app.state.pool}}, receive, send)

    return called


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(with_state(app), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client


@pytest.fixture
def wide_pool(url: str) -> Iterator[Pool]:
    migrate(connector(url))
    pool = Pool(db, connector(url), size=10, timeout=5)
    yield pool
    pool.close()


def add_user(email: str) -> User:
    return User.create(email=email, hashed_password="")


def assert_closed(driver: Any) -> None:
    with pytest.raises((sqlite3.ProgrammingError, psycopg.Error, pymysql.Error)):
        driver.cursor().execute("SELECT 1")


def emails(pool: Pool) -> list[str]:
    with pool.connection():
        return [user.email for user in User.select()]


# 1. One request, one connection.


async def test_all_code_of_a_request_sees_one_connection(
    make_app: MakeApp, wide_pool: Pool
) -> None:
    app = make_app(wide_pool)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((id(db.connection()), threading.get_ident()))

    async def async_dependency() -> None:
        look()

    def sync_dependency() -> Iterator[None]:
        look()
        yield
        look()

    class Answer(PeeweeGetterDict):
        id: int

        def model_post_init(self, context: Any) -> None:
            look()

    dependencies = [
        Depends(async_dependency),
        Depends(sync_dependency, scope="function"),
    ]

    @app.get("/sync", response_model=Answer, dependencies=dependencies)
    def sync_endpoint() -> User:
        look()
        return User(id=1)

    @app.get("/async", response_model=Answer, dependencies=dependencies)
    async def async_endpoint() -> User:
        look()
        await run_sync(look)
        return User(id=1)

    async with client_of(app) as client:
        for path in ("/sync", "/async"):
            seen.clear()
            assert (await client.get(path)).json() == {"id": 1}
            connections, threads = zip(*seen, strict=True)
            assert len(seen) >= 5
            assert len(set(connections)) == 1
            assert len(set(threads)) > 1


async def test_ten_overlapping_slow_requests_have_ten_connections(
    make_app: MakeApp, wide_pool: Pool
) -> None:
    """The demonstration of FastAPI's old how-to for Peewee."""
    app = make_app(wide_pool)
    together = threading.Barrier(10, timeout=5)

    @app.get("/slowusers/")
    def read_slow_users() -> tuple[int, int]:
        before = id(db.connection())
        together.wait()
        time.sleep(0.1)
        return before, id(db.connection())

    async with client_of(app) as client:
        answers = await asyncio.gather(
            *(client.get("/slowusers/") for _ in range(10)),
        )
    pairs = [answer.json() for answer in answers]
    assert all(before == after for before, after in pairs)
    assert len({before for before, _ in pairs}) == 10


async def test_two_threads_of_a_request_share_its_connection_from_the_first_query_on(
    make_app: MakeApp, wide_pool: Pool
) -> None:
    app = make_app(wide_pool)
    together = threading.Barrier(4, timeout=5)

    def look() -> int:
        together.wait()
        return id(db.connection())

    @app.get("/")
    async def endpoint() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(look) for _ in range(4)))

    async with client_of(app) as client:
        for _ in range(20):
            assert len(set((await client.get("/")).json())) == 1


async def test_the_next_request_reuses_the_connection(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)

    @app.get("/")
    def endpoint() -> int:
        return id(db.connection())

    async with client_of(app) as client:
        assert len({(await client.get("/")).text for _ in range(3)}) == 1


# 2. Lazy.


async def test_a_request_without_a_query_opens_no_connection(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(
        Pool(db, connector(f"sqlite:///{tmp_path}/lazy.db"), size=1, timeout=1)
    )

    @app.get("/")
    def endpoint() -> str:
        return "no query"

    async with client_of(app) as client:
        assert (await client.get("/")).status_code == 200
    assert not list(tmp_path.iterdir())


# 3. Back before the bytes leave.


async def test_a_client_that_reads_slowly_holds_no_connection(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)

    @app.get("/stream")
    def stream() -> StreamingResponse:
        User.select().count()
        return StreamingResponse(iter(["a", "b"]))

    @app.get("/")
    def endpoint() -> int:
        return User.select().count()

    reading = asyncio.Event()
    read_on = asyncio.Event()

    received = [{"type": "http.request"}]

    async def receive() -> dict[str, Any]:
        if not received:
            await read_on.wait()
            return {"type": "http.disconnect"}
        return received.pop()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            reading.set()
            await read_on.wait()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/stream",
        "raw_path": b"/stream",
        "query_string": b"",
        "headers": [],
    }
    slow = asyncio.create_task(with_state(app)(scope, receive, send))
    await asyncio.wait_for(reading.wait(), 5)
    async with client_of(app) as client:
        assert (await client.get("/")).json() == 0
    read_on.set()
    await slow


async def test_a_client_that_sends_slowly_holds_no_connection(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)
    sending = asyncio.Event()
    send_on = asyncio.Event()

    @app.post("/")
    def post(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.get("/")
    def endpoint() -> int:
        return User.select().count()

    async def content() -> AsyncIterator[bytes]:
        yield b'{"a":'
        sending.set()
        await send_on.wait()
        yield b" 1}"

    async with client_of(app) as client:
        headers = {"Content-Type": "application/json"}
        slow = asyncio.create_task(client.post("/", content=content(), headers=headers))
        await asyncio.wait_for(sending.wait(), 5)
        assert (await client.get("/")).json() == 0
        send_on.set()
        assert (await slow).json() == {"a": 1}


# 4. Admission on the event loop.


async def test_requests_wait_as_coroutines_and_then_get_503(
    make_app: MakeApp, pool: Pool
) -> None:
    pool.timeout = 2  # A busy machine takes a while to start 100 requests.
    app = make_app(pool)
    holding = asyncio.Event()
    let_go = asyncio.Event()

    @app.get("/hold")
    async def hold() -> None:
        holding.set()
        await let_go.wait()

    @app.get("/")
    def endpoint() -> int:
        return User.select().count()

    async with client_of(app) as client:
        held = asyncio.create_task(client.get("/hold"))
        await asyncio.wait_for(holding.wait(), 5)
        # More than FastAPI has threads: were they to block one each, none were left.
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
    make_app: MakeApp, url: str
) -> None:
    migrate(connector(url))
    pool = Pool(db, connector(url), size=2, timeout=20)
    app = make_app(pool)
    now, most = 0, 0
    lock = threading.Lock()

    @app.get("/")
    def endpoint() -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        count = User.select().count()
        with lock:
            now -= 1
        return count

    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(300)))
    assert {answer.status_code for answer in answers} == {200}
    assert most == 2
    pool.close()


# 5. The event loop never blocks.


async def test_a_slow_connect_blocks_neither_the_loop_nor_another_request(
    make_app: MakeApp, url: str
) -> None:
    migrate(connector(url))
    connect_at_once = connector(url)
    is_slow = True
    connecting = threading.Semaphore(0)
    may_connect = threading.Event()

    def connect() -> Database:
        if is_slow:
            connecting.release()
            assert may_connect.wait(10)
        return connect_at_once()

    pool = Pool(db, connect, size=3, timeout=5)
    app = make_app(pool)

    @app.get("/{name}")
    async def endpoint(name: str) -> int:
        return await run_sync(User.select().count)

    @app.get("/abandon/{name}")
    async def abandon(name: str) -> None:
        """Leave a thread behind that is about to connect."""
        await run_sync(User.select().count, abandon_on_cancel=True)

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
    pool.close()


async def test_connections_are_opened_and_closed_off_the_event_loop(
    make_app: MakeApp, pool: Pool, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(pool)
    threads: list[int] = []

    def watch(method: Callable[..., bool]) -> Callable[..., bool]:
        def watched(*args: Any, **kwargs: Any) -> bool:
            threads.append(threading.get_ident())
            return method(*args, **kwargs)

        return watched

    kind = type(connector(url)())
    for name in ("connect", "close", "rollback"):
        monkeypatch.setattr(kind, name, watch(getattr(kind, name)))

    @app.get("/leave")
    def leave_transaction_open() -> None:
        db.begin()

    @app.get("/close")
    def close() -> None:
        db.close()

    async with client_of(app) as client:
        for path in ("/leave", "/close", "/leave"):
            assert (await client.get(path)).status_code == 200
    assert len(threads) >= 4
    assert threading.get_ident() not in threads


# 6. No scope, no connection.


async def test_a_query_outside_a_scope_says_how_to_open_one(pool: Pool) -> None:
    with pytest.raises(NoConnectionError, match=r"with pool\.connection\(\):"):
        User.select().count()
    with pytest.raises(NoConnectionError):
        db.execute_sql("SELECT 1")
    with pytest.raises(NoConnectionError), db.atomic():
        pass


def test_a_model_can_be_made_as_peewee_has_it(pool: Pool) -> None:
    assert db.Model._meta.database is db
    with pool.connection():
        assert db.Model is db.Model


async def test_what_outlives_the_request_has_no_connection_but_can_open_its_own(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)
    outcome: dict[str, Any] = {}
    thread_may_run = threading.Event()

    def query(name: str) -> None:
        try:
            outcome[name] = User.select().count()
        except NoConnectionError as exc:
            outcome[name] = exc

    def query_with_own_scope() -> None:
        with pool.connection():
            query("own sync scope")

    async def query_with_own_async_scope() -> None:
        async with pool.request():
            await run_sync(query, "own async scope")

    async def thread_that_outlives() -> None:
        await run_sync(thread_may_run.wait)
        await run_sync(query, "thread")

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
    assert outcome.keys() == {"background", "thread"}
    assert all(isinstance(exc, NoConnectionError) for exc in outcome.values())


async def test_a_stream_cannot_query_after_its_response_has_started(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)
    raised = []

    def rows() -> Iterator[str]:
        yield "start"
        try:
            User.select().count()
        except NoConnectionError as exc:
            raised.append(exc)

    @app.get("/")
    def stream() -> StreamingResponse:
        return StreamingResponse(rows())

    async with client_of(app) as client:
        assert (await client.get("/")).text == "start"
    assert len(raised) == 1


async def test_scopes_nest(pool: Pool, tmp_path: Path) -> None:
    other_url = f"sqlite:///{tmp_path}/other.db"
    migrate(connector(other_url))
    other = Pool(db, connector(other_url), size=1, timeout=1)
    with pool.connection():
        add_user("here")
        with other.connection():
            assert User.select().count() == 0
        async with other.request():
            assert User.select().count() == 0
        assert User.select().count() == 1
    other.close()


# 7. Every exit.


async def test_every_exit_rolls_back_and_returns_the_connection(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)
    entered = asyncio.Event()

    @app.get("/raise")
    def raise_error() -> None:
        db.begin()
        add_user("raise")
        raise RuntimeError

    @app.get("/http")
    def raise_http_error() -> None:
        with db.atomic():
            add_user("http")
            raise HTTPException(418)

    @app.get("/leave")
    def leave_transaction_open() -> None:
        db.session_start()
        add_user("leave")

    @app.get("/response", response_model=int)
    def wrong_response() -> str:
        db.begin()
        add_user("response")
        return "not an int"

    @app.get("/validate")
    def validate(limit: int = Query(le=1)) -> None:
        add_user("validate")

    @app.get("/close")
    def close() -> None:
        db.close()

    @app.get("/cancel")
    async def wait_to_be_cancelled() -> None:
        with db.atomic():
            add_user("cancel")
            entered.set()
            await asyncio.sleep(60)

    @app.get("/ok")
    def ok(email: str) -> None:
        add_user(email)

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
            # The pool has one slot: this waits in vain if it was not returned.
            response = await client.get("/ok", params={"email": number})
            assert response.status_code == 200
        cancelled = asyncio.create_task(client.get("/cancel"))
        await asyncio.wait_for(entered.wait(), 5)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert (await client.get("/ok?email=last")).status_code == 200
    assert emails(pool) == ["0", "1", "2", "3", "4", "5", "last"]


async def test_cancelled_before_the_exit_still_rolls_back(pool: Pool) -> None:
    def leave_open() -> None:
        db.begin()
        add_user("lost")

    with anyio.CancelScope() as request:
        async with pool.request():
            await run_sync(leave_open)
            request.cancel()
    async with pool.request():
        assert await run(User.select().count) == 0


async def test_cancelled_while_waiting_for_its_turn(
    make_app: MakeApp, pool: Pool
) -> None:
    app = make_app(pool)

    @app.get("/")
    def endpoint() -> int:
        return User.select().count()

    async with client_of(app) as client:
        async with pool.request():
            waiting = asyncio.create_task(client.get("/"))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert (await client.get("/")).status_code == 200


async def test_closing_the_pool_closes_its_connections_and_ends_its_threads(
    url: str,
) -> None:
    migrate(connector(url))
    pool = Pool(db, connector(url), size=2, timeout=1)

    def slots() -> int:
        return [thread.name for thread in threading.enumerate()].count("peewee slot")

    before = slots()
    async with pool.request():
        driver = await run(db.connection)
        assert slots() == before + 1
    await run_sync(pool.close)
    assert_closed(driver)
    assert slots() == before


# 8. Dependency and middleware together.


async def test_the_dependency_uses_the_scope_of_the_middleware(pool: Pool) -> None:
    app = with_middleware(pool)

    @app.get("/")
    def endpoint(db: Db) -> int:
        return User.select().count()

    async with client_of(app) as client:
        for _ in range(3):
            assert (await client.get("/")).json() == 0


# 9. Nothing private.


def test_private_parts_of_dependencies_are_left_alone() -> None:
    """Each connection is a Database that one request uses at a time, so its public
    `thread_safe=False` is enough, and `db._state` stays Peewee's own. `_meta` is the
    name under which Peewee's documentation has what a model knows of itself.
    """
    for file in Path(peewee_app.__file__).parent.rglob("*.py"):
        if file.name == "peewee_private.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and re.match("_(?!_|meta$)", node.attr):
                assert isinstance(node.value, ast.Name), f"{file}:{node.lineno}"
                assert node.value.id == "self", f"{file}:{node.lineno}"


# The URL, and SQLite as a service needs it.


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, file in [
        ("sqlite:///relative.db", tmp_path / "relative.db"),
        ("sqlite:///./dotted.db", tmp_path / "dotted.db"),
        (f"sqlite:///{tmp_path}/absolute.db", tmp_path / "absolute.db"),
        ("sqlite:///with space & ?timeout=1", tmp_path / "with space & "),
    ]:
        migrate(connector(url))
        assert file.exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_in_memory(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for connect in (connector(url), connector(url)):
        migrate(connect)
        pool = Pool(db, connect, size=2, timeout=1)
        with pool.connection():
            add_user("first")
            with pool.connection():  # A second connection sees the same database.
                assert User.select().count() == 1
        pool.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("oracle://scott:tiger@host/db", "sqlite:///"),
        ("", "sqlite:///"),
        ("file.db", "sqlite:///"),
        ("sqlite://relative.db", "three slashes"),
        ("sqlite:relative.db", "three slashes"),
    ],
)
def test_a_wrong_url_says_what_to_write(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        connector(url)
    assert "tiger" not in str(raised.value)


@on("sqlite")
def test_sqlite_is_set_up_as_a_service_needs_it(pool: Pool) -> None:
    with pool.connection():
        pragmas = {
            name: db.pragma(name)
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,  # FULL
        "busy_timeout": 5000,  # milliseconds
    }


def test_a_transaction_that_reads_first_can_still_write(url: str) -> None:
    """A deferred transaction fails at once when another process wrote in between."""
    migrate(connector(url))
    pool = Pool(db, connector(url), size=2, timeout=1)

    def read_then_write(name: str) -> None:
        with pool.connection(), db.atomic():
            User.select().count()
            time.sleep(0.05)
            add_user(name)

    threads = [threading.Thread(target=read_then_write, args=(n,)) for n in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(emails(pool)) == ["a", "b", "c", "d"]
    pool.close()


@on("sqlite")
def test_a_file_that_is_gone_is_an_error_and_its_return_is_noticed(
    pool: Pool, database_file: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away.db"
    database_file.rename(away)
    for _ in range(2):
        with pytest.raises(OperationalError), pool.connection():
            add_user("lost")
    assert not database_file.exists()
    away.rename(database_file)
    with pool.connection():
        add_user("kept")
    assert emails(pool) == ["kept"]
