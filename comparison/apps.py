"""The apps that are compared, each as a server process of its own."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import server
from harness.server import Server

ROOT = Path(__file__).resolve().parent.parent


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


def allow_open_files(number: int) -> None:
    """Let this process, and those that it starts, open as many, if the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


@contextmanager
def serve(app: App, database_url: str) -> Iterator[Server]:
    """Serve the app on that database.

    Raise ServerError if it does not start.
    """
    with server.serve(
        database_url,
        "--no-access-log",
        f"--app-dir={ROOT}",
        module=("uvicorn", app.target),
    ) as running:
        running.wait_for("Uvicorn running on")
        yield running
