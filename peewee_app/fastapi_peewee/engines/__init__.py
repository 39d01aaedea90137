"""A database URL, turned into a function that makes one unopened connection.

Each engine has a module of its own. A driver is imported only when a URL asks for it.
"""

import re

from .connection import Connector


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
    scheme = url.partition(":")[0]
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
    raise ValueError(
        "should start with sqlite:///, postgresql://, mysql:// or mariadb://"
    )


def check_server_url(url: str) -> None:
    """Raise ValueError if a part of a password could be taken for something else.

    A driver would repeat that part in its message.
    """
    _, slashes, rest = url.partition("://")
    if not slashes:
        raise ValueError(
            "should start with sqlite:///, postgresql://, mysql:// or mariadb://"
        )
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if rest.count("@") > 1 or ("@" in rest and "@" not in authority):
        raise ValueError(
            "the URL: in a user name, a password or an option, @ is written %40, "
            "/ %2F, ? %3F and # %23"
        )


def is_in_memory(url: str) -> bool:
    """Whether the database is in the memory of the process that opens it."""
    return url.partition("?")[0] in ("sqlite://", "sqlite:///", "sqlite:///:memory:")


def pool_size(url: str) -> int:
    """How many connections suit the engine: SQLite is fastest with one."""
    return 1 if url.startswith("sqlite:") else 10
