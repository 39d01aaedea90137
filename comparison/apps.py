"""The apps that are compared, each as a server process of its own."""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
# Seconds for a server to start, and to stop by itself.
START_TIMEOUT = 30
STOP_TIMEOUT = 2


@dataclass(frozen=True)
class App:
    """`package` has a module `main` with the application."""

    name: str
    package: str

    @property
    def target(self) -> str:
        """What uvicorn loads."""
        return f"{self.package}.main:app"


OURS = App("peewee_app", "peewee_app")
TUTORIAL = App("SQLAlchemy, tutorial style", "comparison.sqlalchemy_app")
TUNED = App("SQLAlchemy, tuned", "comparison.sqlalchemy_tuned_app")
DESIGN = App("SQLAlchemy, our design", "comparison.sqlalchemy_design_app")
ASYNC = App("SQLAlchemy, async", "comparison.sqlalchemy_async_app")
SQLMODEL = App("SQLModel, tutorial", "comparison.sqlmodel_app")
TORTOISE = App("Tortoise ORM", "comparison.tortoise_app")
PWASYNCIO = App("Peewee, pwasyncio", "comparison.pwasyncio_app")
FLOOR = App("floor, no ORM", "comparison.floor_app")
# What a user might choose in place of ours; the floor is only to measure against.
PEERS = (DESIGN, TUNED, TUTORIAL, SQLMODEL, ASYNC, TORTOISE, PWASYNCIO)
APPS = (OURS, *PEERS, FLOOR)


class StartError(Exception):
    """The server did not start; the message is the last line that it wrote."""


class Server:
    """A running server, on loopback only."""

    def __init__(self, pid: int, port: int) -> None:
        self.port = port
        self._process = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """CPU time of the process since its start."""
        times = self._process.cpu_times()
        return times.user + times.system

    def peak_mib(self) -> float | None:
        """The most memory (RSS) it has had, in MiB; None where there is no /proc."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return None
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(peak[1]) / 1024 if peak else None


def allow_open_files(number: int) -> None:
    """Let this process, and those that it starts, open as many, if the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


@contextmanager
def serve(app: App, database_url: str, folder: Path) -> Iterator[Server]:
    """The app, served on that database; its log goes to `folder`.

    Raises StartError if it does not start.
    """
    environment = os.environ | {"DATABASE_URL": database_url}
    log = folder / "server.log"
    command = [sys.executable, "-m", "uvicorn", app.target, "--no-access-log"]
    command += ["--host", "127.0.0.1", "--port", "0", "--app-dir", str(ROOT)]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - no word of it comes from outside
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        yield Server(process.pid, _wait_for_port(process, log))
    finally:
        _stop(process)


def _wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if port := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(port[1])
        time.sleep(0.02)
    lines = log.read_text().split("\n")
    raise StartError(
        next((line for line in reversed(lines) if line), "it says nothing")
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:  # It hangs: that is one of the findings.
        process.kill()
        process.wait()
