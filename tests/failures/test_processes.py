"""Servers that the tests start: signals reach them, and they end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from harness.servers import DatabaseServer

from ..engines import on

ROOT = Path(__file__).parents[2]

PROGRAM = """
import time
from harness.server import serve
from harness.servers import Mariadb, Postgresql, running

with (
    running({kind}) as database,
    serve(database.url("{name}"), "--workers", "2") as server,
):
    print(database.process.pid, server.process.pid, server.base_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Directory that the server's system user may read."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@on("postgresql", "mariadb")
def test_servers_end_with_the_tests_that_are_killed(
    engine: str, temporary: Path
) -> None:
    kind, name = {
        "postgresql": ("Postgresql", "postgres"),
        "mariadb": ("Mariadb", "mysql"),
    }[engine]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(kind=kind, name=name)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout
        *_, url = tests.stdout.readline().split()
        assert httpx2.get(f"{url}/health", timeout=60).status_code == 200
        started = psutil.Process(tests.pid).children(recursive=True)
        tests.kill()
    assert len(started) >= 4  # The database, and uvicorn with two workers.
    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []


class Family(DatabaseServer):
    """Server that ends its children at its end."""

    def command(self) -> list[str]:
        script = """
            trap 'kill $children; wait; exit' TERM
            for number in $(seq 100); do
                sleep 600 & children="$children $!"
            done
            touch ready
            wait
        """
        return ["sh", "-c", script]

    def connect(self) -> Any:
        raise NotImplementedError


def test_a_signal_to_a_child_that_has_gone_is_no_error(tmp_path: Path) -> None:
    server = Family(tmp_path)
    with subprocess.Popen(server.command(), cwd=tmp_path) as server.process:
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        server.send(signal.SIGTERM)
