"""Ids and texts: refused if a database cannot take them, or stored."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated
from urllib.parse import quote

import pytest
from fastapi import Body, Depends, FastAPI
from fastapi.testclient import TestClient
from peewee import AutoField, BigIntegerField, CharField, Model
from pydantic import BaseModel

from peewee_app.fastapi_peewee import (
    BigId,
    ContextDatabase,
    Id,
    Pool,
    Text,
    connect,
    connector,
)

db = ContextDatabase()


class Thing(Model):
    id = AutoField()
    name = CharField()
    number = BigIntegerField()

    class Meta:
        database = db


class ThingIn(BaseModel):
    name: Text
    number: BigId = 0


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    pool = Pool(db, connector(url), size=1, timeout=5)

    async def get_db() -> AsyncIterator[None]:
        async with pool.request():
            yield

    app = FastAPI(dependencies=[Depends(get_db, scope="function")])

    @app.get("/ids/{key}")
    def read_by_id(key: Id, other: Id | None = None) -> int:
        return Thing.select().where((Thing.id == key) | (Thing.id == other)).count()

    @app.get("/numbers/{number}")
    def read_by_number(number: BigId) -> int:
        return Thing.select().where(Thing.number == number).count()

    @app.get("/names/{name}")
    def read_by_name(name: Text) -> int:
        return Thing.select().where(Thing.name == name).count()

    @app.get("/names/")
    def search(name: Text) -> int:
        return Thing.select().where(Thing.name.contains(name)).count()

    @app.post("/names/")
    def create(thing: ThingIn, again: Annotated[Text, Body()] = "") -> str:
        assert "\0" not in again
        return Thing.create(**thing.model_dump()).name

    with connect(db, url):
        db.create_tables([Thing])
    with TestClient(app) as client:
        yield client
    pool.close()


@pytest.mark.parametrize("key", [-(2**31), -1, 0, 2**31 - 1])
def test_ids_of_32_bits(client: TestClient, key: int) -> None:
    assert client.get(f"/ids/{key}?other={key}").json() == 0


@pytest.mark.parametrize("key", [-(2**31) - 1, 2**31, 2**63, 10**30])
def test_other_ids(client: TestClient, key: int) -> None:
    assert client.get(f"/ids/{key}").status_code == 422
    assert client.get(f"/ids/1?other={key}").status_code == 422


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_ids_of_64_bits(client: TestClient, number: int) -> None:
    stored = client.post("/names/", json={"thing": {"name": "a", "number": number}})
    assert stored.status_code == 200
    assert client.get(f"/numbers/{number}").json() == 1


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**63, 10**30])
def test_other_ids_of_64_bits(client: TestClient, number: int) -> None:
    stored = client.post("/names/", json={"thing": {"name": "a", "number": number}})
    assert stored.status_code == 422
    assert client.get(f"/numbers/{number}").status_code == 422


@pytest.mark.parametrize("name", ["a", "", "Łódź", "😀", "\x01\n\x7f", "'\"%_\\"])
def test_texts(client: TestClient, name: str) -> None:
    assert client.post("/names/", json={"thing": {"name": name}}).json() == name
    if name:
        assert client.get(f"/names/{quote(name)}").json() == 1
        assert client.get("/names/", params={"name": name}).json() == 1


def test_a_nul(client: TestClient) -> None:
    for response in (
        client.get("/names/a%00b"),
        client.get("/names/?name=a%00b"),
        client.post("/names/", json={"thing": {"name": "a\0b"}}),
        client.post("/names/", json={"thing": {"name": "a"}, "again": "\0"}),
    ):
        assert response.status_code == 422
        (error,) = response.json()["detail"]
        assert error["type"] == "string_pattern_mismatch"


@pytest.mark.parametrize("content", ['{"name": "\\ud800"}', '{"name": "a\\udfff"}'])
def test_a_lone_surrogate(client: TestClient, content: str) -> None:
    response = client.post("/names/", content=f'{{"thing": {content}}}')
    assert response.status_code == 422
