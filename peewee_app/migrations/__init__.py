"""Numbered scripts for `playhouse.migrations`."""

from contextlib import closing
from pathlib import Path

from playhouse.migrations import MigrationError

from ..fastapi_peewee import Connector
from ..fastapi_peewee import migrate as apply_migrations
from ..models import Item, User
from ..web.startup import StartupError

DIRECTORY = Path(__file__).parent


def migrate(connect: Connector, *, apply: bool = True) -> None:
    """Bring the database up to date; if not `apply`, only check that it is.

    Raises StartupError if the database is newer than the code, or is not up to date
    and must not be migrated; Peewee's errors if it cannot be reached or changed, or
    cannot hold every text.
    """
    try:
        apply_migrations(connect, DIRECTORY, apply=apply)
    except MigrationError as exc:
        raise StartupError(str(exc)) from exc
    with closing(connect()) as connection:
        connection.connect()
        connection.check_text([model._meta.table_name for model in (User, Item)])
