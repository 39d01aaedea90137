"""Pages with a total, by fastapi-pagination: as few statements as by hand."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from fastapi_pagination import LimitOffsetPage, LimitOffsetParams, Page, add_pagination
from fastapi_pagination.ext.peewee import paginate
from peewee import AutoField, CharField, ForeignKeyField, Model, QueryEvent

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    PeeweeRoute,
    Pool,
    connector,
)

db = ContextDatabase()


class Author(Model):
    id = AutoField()
    name = CharField()

    class Meta:
        database = db


class Book(Model):
    title = CharField()
    author = ForeignKeyField(Author, backref="books")

    class Meta:
        database = db


class BookOut(PeeweeGetterDict):
    title: str


class AuthorOut(PeeweeGetterDict):
    name: str
    books: list[BookOut]


events: list[QueryEvent] = []


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    connect = connector(url)

    def connect_with_hook() -> Any:
        connection = connect()
        connection.query_hooks.append(events.append)
        return connection

    pool = Pool(db, connect_with_hook, size=1, timeout=5)

    async def get_db() -> AsyncIterator[None]:
        async with pool.request():
            yield

    router = APIRouter(
        route_class=PeeweeRoute, dependencies=[Depends(get_db, scope="function")]
    )
    authors = Author.select().order_by(Author.id)

    @router.get("/params", response_model=LimitOffsetPage[AuthorOut])
    def with_params(params: Annotated[LimitOffsetParams, Depends()]) -> Any:
        return paginate(authors, params)

    @router.get("/added", response_model=LimitOffsetPage[AuthorOut])
    def added() -> Any:
        return paginate(authors)

    @router.get("/numbered", response_model=Page[AuthorOut])
    def numbered() -> Any:
        return paginate(authors)

    app = FastAPI()
    app.include_router(router)
    add_pagination(app)
    with pool.connection():
        db.create_tables([Author, Book])
        for n in range(1, 8):
            Author.create(id=n, name=f"author {n}")
            for title in "ab":
                Book.create(title=f"{title} {n}", author=n)
    with TestClient(app) as client:
        yield client
    pool.close()


def author(n: int) -> dict[str, Any]:
    books = [{"title": f"a {n}"}, {"title": f"b {n}"}]
    return {"name": f"author {n}", "books": books}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/params?limit=3&offset=2", {"limit": 3, "offset": 2}),
        ("/added?limit=3&offset=2", {"limit": 3, "offset": 2}),
        ("/numbered?size=3&page=2", {"size": 3, "page": 2, "pages": 3}),
    ],
)
def test_a_page_with_a_total(
    client: TestClient, path: str, place: dict[str, int]
) -> None:
    events.clear()
    response = client.get(path)
    assert response.status_code == 200
    numbers = (4, 5, 6) if "page" in place else (3, 4, 5)
    items = [author(n) for n in numbers]
    assert response.json() == {"items": items, "total": 7, **place}
    # The total, the authors, and their books.
    assert len([event for event in events if event.sql.startswith("SELECT")]) == 3
    assert client.get(path.replace("=3", "=0")).status_code == 422
