"""Engine and the tables, tuned."""

from typing import Any

from sqlalchemy import Connection, Engine, event, text

from ..sqlalchemy_app.database import Base, make_engine

# As many connections as FastAPI has worker threads. With SQLAlchemy's default, which is
# 15, the app hangs at fewer clients. A larger pool does not cure that: requests still
# hold connections while they wait for threads, and threads still wait for connections.
POOL_SIZE = 40

# A primary key has an index without another one.
INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_items_owner_id ON items (owner_id)",
    "DROP INDEX IF EXISTS ix_items_id",
    "DROP INDEX IF EXISTS ix_users_id",
)


def set_pragmas(connection: Any, _record: Any) -> None:
    """Let readers not wait for a writer, and look after foreign keys."""
    cursor = connection.cursor()
    # FULL keeps the tutorial's promise: what was answered survives a power cut.
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = 1"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def with_pragmas(engine: Engine) -> Engine:
    """Return the engine, which sets them on each new connection of a SQLite file."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", set_pragmas)
    return engine


def make_tuned_engine(url: str) -> Engine:
    """The engine for a `sqlite:///` or `postgresql://` URL; it opens nothing yet."""
    return with_pragmas(make_engine(url, pool_size=POOL_SIZE, max_overflow=0))


def create_tables(connection: Connection) -> None:
    """Create the tables that are missing, with the indexes that they need."""
    Base.metadata.create_all(connection)
    for statement in INDEXES:
        connection.execute(text(statement))
