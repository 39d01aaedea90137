"""Engines: a database URL becomes a function that makes one unopened connection.

Each engine has a module of its own. A driver is imported only when a URL asks for it.
"""

from .connection import Connector
from .url import WRONG_SCHEME, check_server_url, scheme_of


def connector(url: str) -> Connector:
    """Turn a database URL into a function that makes one unopened connection.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, and `sqlite://` or
    `sqlite:///:memory:` for a database in memory that lasts as long as a connection
    to it; `postgresql://`, `postgres://`, `mysql://` and `mariadb://` with
    `user:password@host:port/database`. Options in the query string go to the driver;
    `statement_timeout` is ours, the seconds that a statement may take.

    Raises ValueError, with a message fit to be shown, for any other URL, and if the
    driver is not installed.
    """
    scheme = scheme_of(url)
    if scheme == "sqlite":
        from . import sqlite

        return sqlite.connector(url)
    check_server_url(url)
    if scheme in ("postgresql", "postgres"):
        try:
            from . import postgresql
        except ImportError:
            raise ValueError(
                "needs a driver: pip install 'peewee_app[postgres]'"
            ) from None
        return postgresql.connector(url)
    if scheme in ("mysql", "mariadb"):
        try:
            from . import mysql
        except ImportError:
            raise ValueError(
                "needs a driver: pip install 'peewee_app[mysql]'"
            ) from None
        return mysql.connector(url)
    raise ValueError(WRONG_SCHEME)


def pool_size(url: str) -> int:
    """Return the number of connections that suits the engine: one for SQLite."""
    return 1 if scheme_of(url) == "sqlite" else 10
