"""Databases that cannot hold every text: refused at the start."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import peewee
import pytest
from fastapi.testclient import TestClient

from peewee_app.fastapi_peewee import connector
from peewee_app.fastapi_peewee.engines.connection import Connection
from peewee_app.web.startup import StartupError

from ..databases import NAME, execute, new_database
from ..engines import on
from ..factories import USER, create_app

TEXT = "Łódź 😀 a€"
OTHER = f"{NAME}_other"


@contextmanager
def administrator(url: str) -> Iterator[Connection]:
    with closing(connector(url)()) as connection:
        connection.connect()
        yield connection


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@on("postgresql")
def test_a_database_that_is_not_utf_8_is_refused_in_one_line(
    url: str, encoding: str
) -> None:
    options = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with (
        new_database(url, OTHER, options) as other,
        pytest.raises(StartupError) as refused,
        TestClient(create_app(other)),
    ):
        pass
    message = str(refused.value)
    assert f"the encoding {encoding}, which cannot hold every text" in message
    assert "createdb --encoding=UTF8" in message
    assert "\n" not in message


@on("postgresql")
def test_a_role_with_another_encoding_writes_every_text(url: str) -> None:
    options = "ENCODING 'UTF8' TEMPLATE template0"
    with new_database(url, OTHER, options) as other:
        for whose in (f"DATABASE {OTHER}", f"ROLE postgres IN DATABASE {OTHER}"):
            execute(url, f"ALTER {whose} SET client_encoding = LATIN1")
        for option in ("", "?client_encoding=LATIN1"):
            with TestClient(create_app(other + option)) as client:
                client.post("/users/", json=USER)
                item = client.post("/users/1/items/", json={"title": TEXT})
                assert item.json()["title"] == TEXT


@on("mariadb")
def test_tables_in_latin1_are_refused_in_one_line(url: str) -> None:
    with TestClient(create_app(url)) as client:
        client.post("/users/", json=USER)
    with administrator(url) as connection:
        connection.execute_sql("ALTER TABLE items CONVERT TO CHARACTER SET latin1")
        with pytest.raises(StartupError) as refused, TestClient(create_app(url)):
            pass
        message = str(refused.value)
        assert "items.title has the character set latin1" in message
        assert "\n" not in message
        _, _, statement = message.partition(": ALTER")
        connection.execute_sql(f"ALTER{statement}")
    with TestClient(create_app(url)) as client:
        item = client.post("/users/1/items/", json={"title": TEXT})
        assert item.json()["title"] == TEXT


@on("mariadb")
def test_tables_of_others_may_be_in_latin1(url: str) -> None:
    with administrator(url) as connection:
        connection.execute_sql("CREATE TABLE t (a TEXT CHARACTER SET latin1)")
        connection.check_text(["users", "items"])
        with pytest.raises(peewee.OperationalError):
            connection.check_text(["t"])


@on("mariadb")
def test_a_database_in_latin1_gets_tables_that_hold_every_text(url: str) -> None:
    execute(url, f"ALTER DATABASE {NAME} CHARACTER SET latin1")
    with TestClient(create_app(url)) as client:
        client.post("/users/", json=USER)
        item = client.post("/users/1/items/", json={"title": TEXT})
        assert item.json()["title"] == TEXT
