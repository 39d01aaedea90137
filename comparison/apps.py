"""Apps that are compared, each as a server process of its own."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness import server
from harness.server import Server

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class App:
    """An app whose `package` has a module `main` with the application."""

    name: str
    package: str
    # True to keep all its threads on one core.
    one_core: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """Return the module to run, and its arguments."""
        if self.package == "peewee_app":
            return ("peewee_app",)
        return ("uvicorn", f"{self.package}.main:app")


ONE_CORE = ", one core"


OURS = App("peewee_app", "peewee_app")
TUTORIAL = App("SQLAlchemy, tutorial style", "comparison.sqlalchemy_app")
TUNED = App("SQLAlchemy, tuned", "comparison.sqlalchemy_tuned_app")
DESIGN = App("SQLAlchemy, our design", "comparison.sqlalchemy_design_app")
ASYNC = App("SQLAlchemy, async", "comparison.sqlalchemy_async_app")
SQLMODEL = App("SQLModel, tutorial", "comparison.sqlmodel_app")
TORTOISE = App("Tortoise ORM", "comparison.tortoise_app")
PWASYNCIO = App("Peewee, pwasyncio", "comparison.pwasyncio_app")
FLOOR = App("floor, no ORM", "comparison.floor_app")


def both_ways(app: App) -> tuple[App, ...]:
    """Return the app as it is, and on one core if the system can.

    Ours keeps to one core by itself.
    """
    if not hasattr(os, "sched_setaffinity"):
        return (app,)
    return app, replace(app, name=app.name + ONE_CORE, one_core=True)


# Apps to choose in place of ours; the floor is only to measure against.
OTHERS = (DESIGN, TUNED, TUTORIAL, SQLMODEL, ASYNC, TORTOISE, PWASYNCIO)
PEERS = tuple(way for app in OTHERS for way in both_ways(app))
APPS = (OURS, *PEERS, *both_ways(FLOOR))


def allow_open_files(number: int) -> None:
    """Let this process and its children open so many files, if the system does."""
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
        module=app.command,
    ) as running:
        running.wait_for("Uvicorn running on")
        if app.one_core:
            running.keep_to_core(max(os.sched_getaffinity(0)))
        yield running
