import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, sync_playwright
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from harness.processes import NotInstalledError
from harness.server import Server, serve
from peewee_app import passwords
from peewee_app.database import db
from peewee_app.fastapi_peewee import Pool, connector
from peewee_app.migrations import migrate

from . import databases
from .engines import skip
from .factories import create_app

# Background jobs of a shell ignore Ctrl-C and SIGQUIT, which stops PgBouncer, and our
# servers would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

LONGEST = ["test_cluster", "test_soak", "test_comparison", "test_proxy"]
BROWSER_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Pages may treat a loopback address differently.
    "--host-resolver-rules=MAP app.example 127.0.0.1",
]


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark tests on MariaDB as slow, run other apps on SQLite only, and the files
    first that take longest: the last one leaves the other workers idle.
    """

    def is_wanted(item: pytest.Item) -> bool:
        other = parameters(item).get("app", "peewee") != "peewee"
        return not other or parameters(item).get("engine") == "sqlite"

    unwanted = [item for item in items if not is_wanted(item)]
    items[:] = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=unwanted)
    for item in items:
        if parameters(item).get("engine") == "mariadb":
            item.add_marker("slow")
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def parameters(item: pytest.Item) -> dict[str, object]:
    """Return the parameters of a test."""
    return item.callspec.params if hasattr(item, "callspec") else {}


@contextmanager
def skipping() -> Iterator[None]:
    """Skip tests whose program is not installed."""
    try:
        yield
    except NotInstalledError as exc:
        skip(str(exc))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    with skipping():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    with skipping():
        yield


@pytest.fixture(scope="module", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Hash passwords in this process at a thousandth of the cost."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_password_hash", cheap)
        yield


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest) -> str:
    """Engine of the database: each in turn; `on` names fewer."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a database for all tests that leave its server running."""
    with databases.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """URL of a database for all tests that leave its server running."""
    with databases.mariadb() as url:
        yield url


@pytest.fixture(scope="module")  # It has an event loop, which others would meet.
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        skip("There is no browser: apt-get install chromium, or set CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=BROWSER_ARGUMENTS, timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest) -> str:
    """URL of an empty database."""
    if engine == "sqlite":
        return f"sqlite:///{request.getfixturevalue('database_file')}"
    url: str = request.getfixturevalue(f"{engine}_url")
    databases.empty(url)
    return url


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    connect = connector(url)
    migrate(connect)
    pool = Pool(db, connect, size=1, timeout=0.2)
    yield pool
    pool.close()


@pytest.fixture
def app(url: str) -> FastAPI:
    return create_app(url)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """Yield the app as a process, on a real socket."""
    with serve(url) as server:
        yield server
