"""MariaDB, and MySQL where it is alike."""

import gc
from contextlib import closing
from pathlib import Path

import peewee
import pytest

from peewee_app.fastapi_peewee import connector

from ...engines import on
from .notes import ask


@on("mariadb")
def test_a_socket_in_the_file_system(url: str) -> None:
    path = ask(url, "SELECT @@socket")
    with closing(connector(f"{url}?unix_socket={path}")()) as connection:
        connection.connect()
        assert connection.execute_sql("SELECT 1").fetchone() == (1,)
        assert connection.is_clean()


@on("mariadb")
def test_peewee_knows_that_it_is_mariadb_by_any_url(url: str) -> None:
    for scheme in ("mysql", "mariadb"):
        other = f"{scheme}:{url.partition(':')[2]}"
        with closing(connector(other)()) as connection:
            connection.connect()
            assert connection.mariadb  # type: ignore[attr-defined]


def test_a_socket_that_is_not_there_leaves_none_open(tmp_path: Path) -> None:
    url = f"mysql://user@localhost/db?unix_socket={tmp_path}/missing"
    with pytest.raises(peewee.OperationalError, match="Can't connect"):
        connector(url)().connect()
    gc.collect()  # Python warns of an open socket then, and a warning is an error.
