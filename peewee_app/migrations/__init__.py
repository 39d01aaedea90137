"""Numbered scripts for `playhouse.migrations`: the tables, step by step."""

import logging
from pathlib import Path
from threading import Timer

from playhouse.migrations import Runner

from ..fastapi_peewee.engines.connection import Connect, Connection
from ..web.startup import StartupError

DIRECTORY = Path(__file__).parent
logger = logging.getLogger(__name__)

# Seconds after which the log says what the start waits for.
PATIENCE = 3
WAITING = (
    "The tables are not up to date yet: another process migrates them, or keeps a lock."
)


def check(connection: Connection) -> list[str]:
    """Return the names of the migrations that the database lacks, in order.

    Raises StartupError if it has one that this code does not know.
    """
    status = Runner(connection, DIRECTORY).status()
    if unknown := [migration.name for migration in status if not migration.path]:
        raise StartupError(
            f"The database is newer than this version of the app: it has the migration "
            f"{unknown[-1]}. Start the version that has it, or a later one."
        )
    return [migration.name for migration in status if not migration.applied]


def migrate(connect: Connect, *, apply: bool = True) -> None:
    """Bring the database up to date; if not `apply`, only check that it is.

    Safe in any number of processes at once: a lock lets one in at a time.

    Raises StartupError if the database is newer than the code, or is not up to date
    and may not be brought there; Peewee's errors if it cannot be reached or changed.
    """
    patience = Timer(PATIENCE, logger.warning, [WAITING])
    patience.daemon = True
    patience.start()
    connection = connect(limited=False)
    try:
        connection.connect()
        pending = check(connection)
        if pending and not apply:
            raise StartupError(
                f"The database lacks the migration {pending[0]}, and MIGRATE_AT_START "
                "is off. Apply it with pwmigrate."
            )
        if pending:
            with connection.migration_lock():
                for name in Runner(connection, DIRECTORY).up():
                    logger.warning("Applied the migration %s.", name)
    finally:
        patience.cancel()
        connection.close()
