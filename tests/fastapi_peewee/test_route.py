"""Route class: FastAPI's own, whose answers are read from Peewee objects."""

import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from peewee import CharField, ForeignKeyField, Model, OperationalError
from pydantic import BaseModel, Field, PydanticUserError

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    PeeweeRoute,
    Pool,
    add_database_error_handlers,
    connector,
)

from ..engines import on

pytestmark = on("sqlite")

db = ContextDatabase()


class Person(Model):
    name = CharField()

    @property
    def secret(self) -> str:
        raise ValueError(self.name)

    @property
    def failure(self) -> str:
        error = sqlite3.OperationalError(f"database is locked: {self.name}")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        failure: Any = OperationalError(*error.args)
        failure.orig = error
        raise failure

    class Meta:
        database = db


class Pet(Model):
    name = CharField()
    owner = ForeignKeyField(Person, backref="pets")

    class Meta:
        database = db


class PetOut(PeeweeGetterDict):
    name: str


class PersonOut(PeeweeGetterDict):
    id: int
    name: str
    pets: list[PetOut]


class People(BaseModel):
    people: list[PetOut]
    total: int


class Shouting(JSONResponse):
    media_type = "application/shouting"

    def render(self, content: Any) -> bytes:
        return super().render(content).upper()


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    pool = Pool(db, connector(url), size=1, timeout=1)
    with pool.connection():
        db.create_tables([Person, Pet])
        Pet.create(name="Rex", owner=Person.create(name="Ada"))
    yield pool
    pool.close()


def make_app(pool: Pool, route_class: Any = PeeweeRoute, **options: Any) -> FastAPI:
    async def get_db(response: Response) -> AsyncIterator[None]:
        response.headers["X-Dependency"] = "1"
        async with pool.request():
            yield

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    dependency = Depends(get_db, scope="function")
    app = FastAPI(dependencies=[dependency], lifespan=lifespan, **options)
    app.router.route_class = route_class
    return app


def add_routes(router: APIRouter, ran: list[str]) -> list[str]:
    """Add routes that use what FastAPI offers; return their paths."""

    @router.get("/one")
    def one() -> PersonOut:
        return Person.get()  # type: ignore[return-value]

    @router.get("/list", response_class=Shouting)
    def many() -> list[PersonOut]:
        return list(Person.select())  # type: ignore[arg-type]

    @router.get("/async", response_model=PersonOut)
    async def asynchronous() -> Any:
        return {"id": 1, "name": "Bob", "pets": []}

    @router.get("/created", status_code=201)
    def created(response: Annotated[Response, "ours"]) -> PetOut:
        response.set_cookie("a", "b")
        return Pet.get()  # type: ignore[return-value]

    @router.get("/accepted", response_model=PetOut)
    def accepted(response: "Response") -> Any:
        response.status_code = 202
        return Pet.get()

    @router.get("/optional", response_model=PetOut)
    def optional(response: Response = None) -> Any:  # type: ignore[assignment]
        return Pet.get()

    @router.get("/task", response_model=PetOut)
    def task(tasks: BackgroundTasks) -> Any:
        tasks.add_task(ran.append, "task")
        return Pet.get()

    @router.get("/part", response_model=PersonOut, response_model_include={"name"})
    def part() -> Any:
        return Person.get()

    @router.get("/redirect", response_model=PersonOut)
    def redirect() -> Any:
        return RedirectResponse("/one")

    @router.get("/text", response_class=PlainTextResponse)
    def text() -> str:
        return "text"

    @router.get("/no-model", response_model=None)
    def no_model() -> Any:
        return {"a": Person.select().count()}

    @router.get("/nothing", status_code=204)
    def nothing() -> None:
        pass

    @router.get("/stream")
    def stream() -> Iterator[PetOut]:
        yield PetOut(name="Rex")

    return [route.path for route in router.routes if isinstance(route, APIRoute)]


def answers(pool: Pool, route_class: Any) -> tuple[dict[str, Any], Any]:
    ran: list[str] = []
    app = make_app(pool, route_class)
    router = APIRouter(route_class=route_class)
    paths = add_routes(router, ran)
    app.include_router(router, prefix="/shouting", default_response_class=Shouting)
    app.include_router(router)
    found: dict[str, Any] = {}
    with TestClient(app, follow_redirects=False) as client:
        for path in [*paths, *[f"/shouting{path}" for path in paths[:-1]]]:
            answer = client.get(path)
            found[path] = answer.status_code, answer.headers, answer.content
        return found | {"ran": ran}, client.get("/openapi.json").json()


def test_it_answers_as_fastapi_does(pool: Pool) -> None:
    ours, document = answers(pool, PeeweeRoute)
    theirs, their_document = answers(pool, APIRoute)
    assert ours == theirs
    assert document == their_document
    assert ours["/list"][2] == b'[{"ID":1,"NAME":"ADA","PETS":[{"NAME":"REX"}]}]'


def test_it_is_run_and_answered_on_one_thread(pool: Pool) -> None:
    app = make_app(pool)
    threads = []

    @app.get("/", response_model=PersonOut)
    def one() -> Any:
        db.query_hooks.append(lambda _event: threads.append(threading.get_ident()))
        threads.append(threading.get_ident())
        return Person.get_by_id(1)

    with TestClient(app) as client:
        assert client.get("/").json()["pets"] == [{"name": "Rex"}]
    # The path operation, the person, and the pets for the answer.
    assert len(threads) >= 3
    assert len(set(threads)) == 1


@pytest.mark.parametrize(
    ("model", "data", "in_snapshot"),
    [
        (PetOut, Pet.get, False),
        (list[PetOut], Pet.select, False),
        (PersonOut, Person.get, True),
        (list[PersonOut], Person.select, True),
        (People, lambda: {"people": Pet.select(), "total": 1}, True),
        (dict[str, list[PetOut]], lambda: {"a": Pet.select()}, True),
    ],
)
def test_an_answer_of_several_statements_is_one_snapshot(
    pool: Pool, model: Any, data: Any, in_snapshot: bool
) -> None:
    app = make_app(pool)
    seen = []

    @app.get("/", response_model=model)
    def get() -> Any:
        seen.append(db.in_transaction())
        return data()

    with TestClient(app) as client:
        assert client.get("/").status_code == 200
    assert seen == [in_snapshot]


def test_an_answer_that_does_not_fit_names_where_and_no_value(pool: Pool) -> None:
    class Short(PeeweeGetterDict):
        name: str = Field(max_length=1)

    app = make_app(pool)

    @app.get("/short", response_model=list[Short])
    def short() -> Any:
        return Person.select()

    with TestClient(app) as client, pytest.raises(ResponseValidationError) as error:
        client.get("/short")
    message = str(error.value)
    for part in ("GET /short", "in short", "list[Short]", "'name'"):
        assert part in message
    assert "Ada" not in message


def test_what_an_attribute_raises_is_not_told(pool: Pool) -> None:
    class WithSecret(PeeweeGetterDict):
        secret: str

    app = make_app(pool)
    app.get("/", response_model=WithSecret)(lambda: Person.get())
    with TestClient(app) as client, pytest.raises(ResponseValidationError) as error:
        client.get("/")
    assert "'secret'" in str(error.value)
    assert "Ada" not in str(error.value)


def test_a_database_that_fails_while_an_answer_is_read_is_a_503(pool: Pool) -> None:
    class WithFailure(PeeweeGetterDict):
        failure: str

    app = make_app(pool)
    add_database_error_handlers(app)
    app.get("/", response_model=list[WithFailure])(lambda: list(Person.select()))
    with TestClient(app) as client:
        answer = client.get("/")
    assert answer.status_code == 503
    assert "Ada" not in answer.text


def test_what_is_not_defined_fails_when_the_app_is_made(pool: Pool) -> None:
    class Unfinished(PeeweeGetterDict):
        other: list["Undefined"]  # type: ignore[name-defined]  # noqa: F821

    app = make_app(pool)
    with pytest.raises(PydanticUserError, match=r"Unfinished.* is not fully defined"):
        app.get("/", response_model=Unfinished)(lambda: None)
