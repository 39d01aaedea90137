"""Engine and the tables, tuned."""

from typing import Any

from sqlalchemy import Connection, Engine, event, text

from ..sqlalchemy_app.database import Base, make_engine

# As many connections as FastAPI has worker threads. With SQLAlchemy's default, which is
# 15, the app hangs at fewer clients. A larger pool does not cure that: requests still
# hold connections while they wait for threads, and threads still wait for connections.
POOL_SIZE = 40

# A primary key is an index already.
INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_items_owner_id ON items (owner_id)",
    "DROP INDEX IF EXISTS ix_items_id",
    "DROP INDEX IF EXISTS ix_users_id",
)


def set_pragmas(connection: Any, _record: Any) -> None:
    """Let readers pass a writer, and enforce foreign keys."""
    cursor = connection.cursor()
    # FULL, as in the tutorial: an acknowledged write survives a power cut.
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = 1"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def with_pragmas(engine: Engine) -> Engine:
    """Return the engine, which sets the pragmas of each new SQLite connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", set_pragmas)
    return engine


def make_tuned_engine(url: str) -> Engine:
    """Make the engine of a `sqlite:///` or `postgresql://` URL; connect later."""
    return with_pragmas(make_engine(url, pool_size=POOL_SIZE, max_overflow=0))


def create_tables(connection: Connection) -> None:
    """Create missing tables, with the indexes that they need."""
    Base.metadata.create_all(connection)
    for statement in INDEXES:
        connection.execute(text(statement))
