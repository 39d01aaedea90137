"""Starts that fail, or are stopped."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.types import Message

from harness.server import serve
from peewee_app.web.startup import StartupError, StartupErrorMiddleware

from ..databases import locked
from ..engines import on


async def message_of(exc: Exception) -> str:
    """Return what a server logs of an app whose start raises this."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        raise exc
        yield

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(StartupErrorMiddleware)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(type(exc)):
        await app({"type": "lifespan", "state": {}}, receive, send)
    (failed,) = sent
    assert failed["type"] == "lifespan.startup.failed"
    text: str = failed["message"]
    return text


@pytest.mark.anyio
async def test_a_startup_error_is_one_line_and_another_keeps_its_traceback() -> None:
    assert await message_of(StartupError("No database:\n  a.db")) == "No database: a.db"
    assert (await message_of(RuntimeError("a bug"))).startswith("Traceback")


# The first three fail when a setting is read, when a file is opened, and when a server
# is called.
WRONG_SETTINGS = [
    ("DATABASE_POOL_SIZE", "none", "valid integer"),
    ("DATABASE_URL", "sqlite:////no/such/folder/app.db", "unable to open"),
    ("DATABASE_URL", "postgresql://scott:tiger@127.0.0.1:1/db", "refused"),
    ("DATABASE_URL", "oracle://scott:tiger@host/db", "sqlite:///"),
    ("DATABASE_URL", "sqlite:////no/such/folder/app.db", "/no/such/folder/app.db"),
    ("DATABASE_URL", "sqlite:///app.db?timeout=abc", "DATABASE_URL: timeout"),
    ("DATABASE_URL", f"sqlite:///{__file__}", "not a database"),
    ("DATABASE_URL", "postgresql://scott:x@tiger@127.0.0.1:1/db", "%40"),
    ("DATABASE_URL", "postgresql://scott:x/tiger@127.0.0.1:1/db", "%2F"),
    ("DATABASE_URL", "mysql://scott:x@tiger@127.0.0.1:1/db", "%40"),
    ("DATABASE_URL", "mysql://scott:x?tiger@127.0.0.1:1/db", "%3F"),
    ("DATABASE_URL", "mysql:scott:tiger@127.0.0.1:1/db", "DATABASE_URL: should"),
    ("DATABASE_URL", "mysql://scott:tiger@127.0.0.1/db?ssl_ca=/no", "ssl_ca"),
    ("DATABASE_URL", "mysql://scott:tiger@127.0.0.1/db?charset=foo", "charset"),
    ("DATABASE_URL", "mysql://u:p@127.0.0.1/db?connect_timeout=0", "connect_timeo"),
    ("DATABASE_URL", "mysql://u:p@127.0.0.1/db?port=abc", "port"),
    ("DATABASE_URL", "sqlite:///app.db?tiger=1", "tiger"),
    ("DATABASE_URL", "mysql://scott:tiger@127.0.0.1:1/db", "refused"),
    ("DATABASE_URL", "mysql://scott:tiger@127.0.0.1:1/db?leopard=1", "leopard"),
]


@pytest.mark.parametrize(
    ("name", "value", "reason", "workers"),
    [(*setting, "1") for setting in WRONG_SETTINGS[:6]]
    + [
        pytest.param(*setting, workers, marks=pytest.mark.slow)
        for workers, settings in [("1", WRONG_SETTINGS[6:]), ("2", WRONG_SETTINGS[:3])]
        for setting in settings
    ],
)
@on("sqlite")
def test_a_wrong_setting_stops_the_start_with_one_clear_line(
    url: str, name: str, value: str, reason: str, workers: str
) -> None:
    with serve(url, "--workers", workers, **{name: value}) as server:
        log = server.wait()
    assert workers != "1" or server.process.returncode == 3
    assert "Traceback" not in log
    lines = [line for line in log.splitlines() if name in line]
    assert len(set(lines)) == 1
    assert reason in lines[0]
    assert "scott:tiger" not in log
    assert "leopard" in value or "?tiger=1" in value or "tiger" not in log
    assert "Value error" not in log


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@on("sqlite")
def test_a_start_that_waits_for_a_lock_says_so_and_can_be_stopped(
    url: str, database_file: Path, signum: signal.Signals
) -> None:
    with locked(database_file), serve(url) as server:
        server.wait_for("lock")
        server.process.send_signal(signum)
        log = server.wait()
    assert "stopped by a signal" in log
    assert "Traceback" not in log
    assert server.process.returncode == -signum
