"""The route class: how a path operation that returns Peewee objects is answered."""

import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from peewee import QueryEvent

from peewee_app import schemas
from peewee_app.database import Db, db
from peewee_app.fastapi_peewee import PeeweeRoute, Pool
from peewee_app.models import Item, User

from ..engines import on
from .notes import make_app

pytestmark = on("sqlite")

USER = {"email": "a", "id": 1, "is_active": True, "items": []}


@pytest.fixture
def app(pool: Pool) -> FastAPI:
    with pool.connection():
        User.create(email="a", hashed_password="x")
    app = make_app(pool)
    app.router.route_class = PeeweeRoute
    app.state.pool = pool
    return app


def with_state(app: FastAPI) -> Any:
    """Return the app with what its lifespan would give each request."""

    async def called(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"state": {"pool": app.state.pool}}, receive, send)

    return called


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(with_state(app), raise_server_exceptions=False) as client:
        yield client


def test_what_is_returned_is_read_by_the_response_model(
    app: FastAPI, client: TestClient
) -> None:
    @app.get("/one", response_model=schemas.User)
    def one() -> User:
        return User.get_by_id(1)

    @app.get("/async", response_model=schemas.User)
    async def asynchronous() -> User:
        return User(id=1, email="a", is_active=True)

    @app.get("/list", response_model=list[schemas.User])
    def many() -> Any:
        return User.select()

    @app.get("/instances", response_model=list[schemas.User])
    def instances() -> list[User]:
        return list(User.select())

    @app.get("/none", response_model=schemas.User | None)
    def none() -> None:
        return None

    @app.get("/annotated")
    def annotated() -> schemas.User:
        return schemas.User(**USER)  # type: ignore[arg-type]

    for path in ("/one", "/async", "/annotated"):
        assert client.get(path).json() == USER
    for path in ("/list", "/instances"):
        assert client.get(path).json() == [USER]
    assert client.get("/none").json() is None
    assert client.get("/one").headers["Content-Type"] == "application/json"


def test_it_is_run_and_answered_on_one_thread(app: FastAPI, client: TestClient) -> None:
    threads = []

    @app.get("/", response_model=schemas.User)
    def one() -> User:
        db.query_hooks.append(lambda _event: threads.append(threading.get_ident()))
        threads.append(threading.get_ident())
        return User.get_by_id(1)

    assert client.get("/").json() == USER
    # The path operation, the user, and the items for the answer.
    assert len(threads) == 3
    assert len(set(threads)) == 1


def test_status_and_headers_are_those_that_fastapi_would_send(
    app: FastAPI, client: TestClient
) -> None:
    def set_header(response: Response) -> None:
        response.headers["X-Dependency"] = "1"

    @app.post("/", response_model=schemas.User, status_code=201)
    def one(response: Response, _: Annotated[None, Depends(set_header)]) -> User:
        response.set_cookie("a", "b")
        return User.get_by_id(1)

    @app.get("/", response_model=schemas.User)
    def accepted(response: Response) -> User:
        response.status_code = 202
        return User.get_by_id(1)

    @app.delete("/", status_code=204)
    def delete() -> None:
        pass

    response = client.post("/")
    assert response.status_code == 201
    assert response.headers["X-Dependency"] == "1"
    assert response.cookies["a"] == "b"
    assert client.get("/").status_code == 202
    deleted = client.delete("/")
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_options_of_the_response_model_are_kept(
    app: FastAPI, client: TestClient
) -> None:
    @app.get("/", response_model=schemas.User, response_model_exclude={"items"})
    def one() -> User:
        return User.get_by_id(1)

    assert client.get("/").json() == {k: v for k, v in USER.items() if k != "items"}


def test_a_response_and_what_has_no_model_are_left_to_fastapi(
    app: FastAPI, client: TestClient
) -> None:
    @app.get("/response", response_model=schemas.User)
    def response() -> Response:
        return PlainTextResponse("text")

    @app.get("/data", response_model=None)
    def data() -> dict[str, int]:
        return {"a": User.select().count()}

    assert client.get("/response").text == "text"
    assert client.get("/data").json() == {"a": 1}


def test_an_answer_that_its_model_does_not_allow_is_500(
    app: FastAPI, client: TestClient
) -> None:
    @app.get("/", response_model=schemas.User)
    def one() -> dict[str, Any]:
        return {"id": "x"}

    assert client.get("/").status_code == 500


def test_the_document_knows_nothing_of_it(app: FastAPI, client: TestClient) -> None:
    @app.get("/users/{user_id}", response_model=schemas.User)
    def read_user(user_id: int, db: Db) -> User:
        """Read a user."""
        return User.get_by_id(user_id)

    plain = FastAPI()
    plain.get("/users/{user_id}", response_model=schemas.User)(read_user)
    assert app.openapi()["paths"] == plain.openapi()["paths"]
    assert isinstance(app.routes[-1], PeeweeRoute)
    assert client.get("/users/1").json() == USER


def test_no_more_queries_than_the_schema_asks_for(
    app: FastAPI, client: TestClient, pool: Pool
) -> None:
    seen: list[QueryEvent] = []

    @app.get("/items", response_model=list[schemas.Item])
    def items() -> Any:
        db.query_hooks.append(seen.append)
        return Item.select()

    assert client.get("/items").json() == []
    assert len(seen) == 1
