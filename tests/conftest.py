from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

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


@pytest.fixture
def app(url: str) -> FastAPI:
    return create_app(Settings.model_validate({"database_url": url}))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
