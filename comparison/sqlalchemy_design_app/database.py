"""Engine, and the wait for its connections."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from sqlalchemy import Connection

from peewee_app.fastapi_peewee.pool import let_others_finish

from ..sqlalchemy_app.database import make_engine
from ..sqlalchemy_tuned_app.database import create_tables, with_pragmas

# As many as peewee_app has. Those to a SQLite file take turns, since its driver hands
# the GIL over for each row.
SQLITE_CONNECTIONS = 1
POSTGRESQL_CONNECTIONS = 20
# Begins a transaction whose statements all see one state.
SNAPSHOT = {
    "sqlite": "BEGIN DEFERRED",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ",
}

T = TypeVar("T")


class Database:
    """Database at a `sqlite:///` or `postgresql://` URL."""

    def __init__(self, url: str) -> None:
        is_sqlite = url.startswith("sqlite")
        size = SQLITE_CONNECTIONS if is_sqlite else POSTGRESQL_CONNECTIONS
        self._has_many_threads = size > 1
        self._turns = CapacityLimiter(size)
        engine = make_engine(
            url,
            pool_size=size,
            max_overflow=0,
            # No path operation writes by more than one statement.
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
        )
        self._engine = with_pragmas(engine)

    def open(self) -> None:
        """Connect, and create the tables if they are missing."""
        with self._engine.begin() as connection:
            create_tables(connection)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    async def run(self, query: Callable[[Connection], T]) -> T:
        """Wait for a turn, and call `query` with a connection, on a thread."""

        def work() -> T:
            if self._has_many_threads:
                let_others_finish()
            with self._engine.connect() as connection:
                return query(connection)

        return await run_sync(work, limiter=self._turns)

    async def run_in_snapshot(self, query: Callable[[Connection], T]) -> T:
        """Like `run`, for a query of several statements."""

        def read(connection: Connection) -> T:
            connection.exec_driver_sql(SNAPSHOT[connection.dialect.name])
            try:
                return query(connection)
            finally:
                connection.exec_driver_sql("COMMIT")

        return await self.run(read)


def get_database(request: Request) -> Database:
    """Return the app's database; take no connection yet."""
    database: Database = request.app.state.database
    return database


Db = Annotated[Database, Depends(get_database)]
