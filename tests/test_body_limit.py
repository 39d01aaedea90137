"""The limit on the request body, to the byte."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from peewee_app.web.body_limit import BodyLimitMiddleware


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(BodyLimitMiddleware, limit=10)

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413)])
@pytest.mark.parametrize("chunk", [1, 100])
def test_limit(client: TestClient, size: int, status: int, chunk: int) -> None:
    body = b"a" * size
    chunks = (body[i : i + chunk] for i in range(0, size, chunk))
    response = client.post("/", content=chunks)
    assert response.status_code == status
    if status == 200:
        assert response.json() == size
    else:
        assert response.json() == {"detail": "The request body is over 10 bytes long."}
