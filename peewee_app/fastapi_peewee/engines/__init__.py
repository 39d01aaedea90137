"""Engines: a database URL becomes a function that makes one unopened connection.

Each engine has a module of its own. A driver is imported only when a URL asks for it.
"""

from importlib import import_module

from .connection import Connector
from .url import check_server_url

# Modules of the schemes.
MODULES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
# Extras of the package that have the modules' drivers.
EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}


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
    name = MODULES.get(url.partition("://")[0])
    if name is None:
        raise ValueError(
            "should start with sqlite:///, postgresql://, mysql:// or mariadb://"
        )
    if name in EXTRAS:
        check_server_url(url)
    try:
        engine = import_module(f".{name}", __name__)
    except ImportError:
        extra = EXTRAS[name]
        raise ValueError(f"needs a driver: pip install 'peewee_app[{extra}]'") from None
    connect: Connector = engine.connector(url)
    return connect


def pool_size(url: str) -> int:
    """Return the number of connections that suits the engine: one for SQLite."""
    return 1 if url.startswith("sqlite:") else 20
