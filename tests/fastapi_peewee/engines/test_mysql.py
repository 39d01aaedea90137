"""MariaDB, and MySQL where it is alike."""

import gc
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

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


def test_threads_that_connect_at_once_get_a_connection_each() -> None:
    """Between any two lines another thread may make a connection."""
    connect: Any = connector("mysql://root@127.0.0.1/app")
    others = []

    def at_each_line(_frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            others.append(connect())
        return at_each_line

    def trace(frame: FrameType, _event: str, _arg: Any) -> Any:
        return at_each_line if frame.f_code is connect.__code__ else None

    sys.settrace(trace)
    try:
        mine = connect()
    finally:
        sys.settrace(None)
    assert others
    assert all(mine is not other for other in others)
