"""Databases with a table of the tests' own."""

from collections.abc import Iterator

import pytest

from peewee_app.fastapi_peewee import Pool, connect, connector

from .notes import Note, db


@pytest.fixture
def notes(url: str) -> Iterator[Pool]:
    """Pool on a database with an empty table."""
    connect_to = connector(url)
    with connect(db, connect_to):
        db.create_tables([Note])
    pool = Pool(db, connect_to, size=1, timeout=0.2)
    yield pool
    pool.close()
