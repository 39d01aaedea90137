"""Engine, and the session of a request."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker


class Base(DeclarativeBase):
    """Collects the tables."""


def with_driver(url: str, **drivers: str) -> URL:
    """Return the URL with the driver for its database."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    return parsed.set(drivername=f"{backend}+{drivers[backend]}")


def make_engine(url: str, **options: Any) -> Engine:
    """Make the engine of a `sqlite:///` or `postgresql://` URL; connect later."""
    if url.startswith("sqlite"):
        options["connect_args"] = {"check_same_thread": False}
    parsed = with_driver(url, sqlite="pysqlite", postgresql="psycopg")
    return create_engine(parsed, **options)


def get_db(request: Request) -> Iterator[Session]:
    """Yield the session of a request, closed after the response was sent."""
    sessions: sessionmaker[Session] = request.app.state.sessions
    db = sessions()
    try:
        yield db
    finally:
        db.close()


Db = Annotated[Session, Depends(get_db)]
