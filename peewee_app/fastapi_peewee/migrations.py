"""Migrations: numbered scripts for `playhouse.migrations`."""

import logging
from pathlib import Path
from threading import Timer

from playhouse.migrations import MigrationError, Runner

from .engines.connection import Connection, Connector

logger = logging.getLogger(__name__)

# Seconds after which the log says why the start waits.
PATIENCE = 3
WAITING = (
    "The tables are not up to date yet: another process migrates them, or keeps a lock."
)


def migrate(connect: Connector, directory: str | Path, *, apply: bool = True) -> None:
    """Apply the migrations in the directory that the database lacks.

    If not `apply`, only check that it lacks none. `connect` comes from `connector`.
    Safe in any number of processes at once: a lock lets one in at a time.

    Raises playhouse's MigrationError if there is no such directory, if the database has
    a migration that is not in it, or lacks one that is not to be applied; Peewee's
    errors if the database cannot be reached or changed.
    """
    if not Path(directory).is_dir():
        raise MigrationError(f"There is no directory with migrations at {directory}.")
    patience = Timer(PATIENCE, logger.warning, [WAITING])
    patience.daemon = True
    patience.start()
    connection = connect(limited=False)
    try:
        connection.connect()
        lacking = check(connection, directory)
        if lacking and not apply:
            raise MigrationError(
                f"The database lacks the migration {lacking[0]}: apply it with "
                "pwmigrate."
            )
        if lacking:
            with connection.migration_lock():
                for name in Runner(connection, directory).up():
                    logger.warning("Applied the migration %s.", name)
    finally:
        patience.cancel()
        connection.close()


def check(connection: Connection, directory: str | Path) -> list[str]:
    """Return the names of the migrations that the database lacks, in order.

    Raises MigrationError if it has one that is not in the directory.
    """
    status = Runner(connection, directory).status()
    if unknown := [migration.name for migration in status if not migration.path]:
        raise MigrationError(
            f"The database is newer than this version of the app: it has the migration "
            f"{unknown[-1]}. Start the version that has it, or a later one."
        )
    return [migration.name for migration in status if not migration.applied]
