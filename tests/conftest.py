import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import Pool, connector
from peewee_app.main import create_app
from peewee_app.migrations import migrate
from peewee_app.settings import Settings

from . import servers


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """The twins, which the app is compared with, run on SQLite only."""

    def is_wanted(item: pytest.Item) -> bool:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        twin = params.get("app", "peewee") != "peewee"
        return not twin or params.get("engine") == "sqlite"

    unwanted = [item for item in items if not is_wanted(item)]
    items[:] = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=unwanted)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest) -> str:
    """Whatever uses a database runs on each engine; `on` names fewer."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server for all tests that leave it running."""
    if url := os.environ.get("TEST_POSTGRESQL_URL"):
        yield url
    else:
        with servers.running(servers.Postgresql) as server:
            yield server.url("postgres")


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A server for all tests that leave it running."""
    if url := os.environ.get("TEST_MYSQL_URL"):
        yield url
    else:
        with servers.running(servers.Mariadb) as server:
            yield server.url("mysql")


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database."""
    if engine == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('database_file')}"
        return
    server_url: str = request.getfixturevalue(f"{engine}_url")
    name = f"peewee_app_test_{os.getpid()}"
    force = " WITH (FORCE)" if engine == "postgresql" else ""
    with closing(connector(server_url)()) as administrator:
        administrator.connect()
        administrator.execute_sql(f"DROP DATABASE IF EXISTS {name}{force}")
        administrator.execute_sql(f"CREATE DATABASE {name}")
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        administrator.close()
        administrator.connect()
        administrator.execute_sql(f"DROP DATABASE {name}{force}")


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    connect = connector(url)
    migrate(connect)
    pool = Pool(connect, size=1, timeout=0.2)
    yield pool
    pool.close()


@pytest.fixture
def app(url: str) -> FastAPI:
    return create_app(Settings.model_validate({"database_url": url}))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
