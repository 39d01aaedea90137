"""The engine, and the session of a request."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

# As many connections as FastAPI has worker threads. With SQLAlchemy's default, which is
# 15, the app hangs at fewer clients. A larger pool does not cure that: requests still
# hold connections while they wait for threads, and threads still wait for connections.
TUNED_POOL_SIZE = 40


class Base(DeclarativeBase):
    """Collects the tables."""


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL keeps the tutorial's promise: what was answered survives a power cut.
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = 1"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def make_engine(url: str, *, tuned: bool) -> Engine:
    """The engine for a `sqlite:///` or `postgresql://` URL; it opens nothing yet."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    is_sqlite = parsed.get_backend_name() == "sqlite"
    options: dict[str, Any] = {}
    if is_sqlite:
        options["connect_args"] = {"check_same_thread": False}
    if tuned:
        options |= {"pool_size": TUNED_POOL_SIZE, "max_overflow": 0}
    engine = create_engine(parsed, **options)
    if tuned and is_sqlite:
        event.listen(engine, "connect", _set_pragmas)
    return engine


def make_sessions(engine: Engine, *, tuned: bool) -> sessionmaker[Session]:
    """What makes the sessions; each of them knows in its `info` whether it is tuned."""
    # With expiry, an object is read again after the commit that has just written it.
    return sessionmaker(engine, expire_on_commit=not tuned, info={"tuned": tuned})


def get_db(request: Request) -> Iterator[Session]:
    """The session of a request, closed after the response was sent."""
    sessions: sessionmaker[Session] = request.app.state.sessions
    db = sessions()
    try:
        yield db
    finally:
        db.close()


Db = Annotated[Session, Depends(get_db)]
