from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from comparison.sqlalchemy_app import main as sqlalchemy_app
from peewee_app.database import Pool
from peewee_app.main import create_app
from peewee_app.models import create_tables
from peewee_app.settings import Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def url(database_file: Path) -> str:
    return f"sqlite:///{database_file}"


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    pool = Pool(url, size=1, timeout=0.2)
    create_tables(pool)
    yield pool
    pool.close()


def peewee_app(url: str) -> FastAPI:
    return create_app(Settings.model_validate({"database_url": url}))


# The contract's tests run against each of these.
APPS: dict[str, Callable[[str], FastAPI]] = {
    "peewee": peewee_app,
    "sqlalchemy": sqlalchemy_app.create_app,
    "sqlalchemy-tuned": partial(sqlalchemy_app.create_app, tuned=True),
}


@pytest.fixture(params=APPS)
def app(request: pytest.FixtureRequest, url: str) -> FastAPI:
    """An app of each kind. `@pytest.mark.beyond_seed(reason)` marks what only ours
    does: there the twins are expected to fail, with `strict=False` not every time.
    """
    beyond_seed = request.node.get_closest_marker("beyond_seed")
    if beyond_seed and request.param != "peewee":
        request.applymarker(
            pytest.mark.xfail(
                reason=beyond_seed.args[0], raises=AssertionError, **beyond_seed.kwargs
            )
        )
    return APPS[request.param](url)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
