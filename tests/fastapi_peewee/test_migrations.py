"""Migrations of an app of one's own."""

import threading
from pathlib import Path
from textwrap import dedent

import pytest
from playhouse.migrations import MigrationError

from peewee_app.fastapi_peewee import ContextDatabase, connect, connector, migrate

from ..engines import on

db = ContextDatabase()


def write(directory: Path, name: str, up: str, down: str = "") -> None:
    script = f"""
        from peewee import *

        def up(migrator, db):
            {up}

        def down(migrator, db):
            {down or "pass"}
    """
    (directory / f"{name}.py").write_text(dedent(script))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "migrations"
    directory.mkdir()
    write(directory, "0001_books", "db.execute_sql('CREATE TABLE books (id INTEGER)')")
    add = (
        "migrator.migrate(migrator.add_column('books', 'title', TextField(null=True)))"
    )
    write(directory, "0002_title", add)
    return directory


def columns(url: str) -> list[str]:
    with connect(db, url):
        return [column.name for column in db.get_columns("books")]


def test_migrations_are_applied_in_their_order_and_once(
    url: str, directory: Path
) -> None:
    migrate(connector(url), directory)
    assert columns(url) == ["id", "title"]
    migrate(connector(url), str(directory))
    write(
        directory, "0003_sold", "db.execute_sql('ALTER TABLE books ADD sold INTEGER')"
    )
    migrate(connector(url), directory)
    assert columns(url) == ["id", "title", "sold"]


def test_many_at_once(url: str, directory: Path) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(connector(url), directory)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert columns(url) == ["id", "title"]


@on("sqlite")
def test_what_cannot_be_right_is_an_error(url: str, directory: Path) -> None:
    with pytest.raises(MigrationError, match="no directory"):
        migrate(connector(url), directory / "migratoins")
    with pytest.raises(MigrationError, match="lacks the migration 0001_books"):
        migrate(connector(url), directory, apply=False)
    migrate(connector(url), directory)
    migrate(connector(url), directory, apply=False)
    (directory / "0002_title.py").unlink()
    with pytest.raises(MigrationError, match=r"newer than this version.*0002_title"):
        migrate(connector(url), directory)
