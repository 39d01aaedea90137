"""Errors of all databases; each engine's module has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from peewee import IntegrityError, InterfaceError, OperationalError, PeeweeException

if TYPE_CHECKING:
    from .connection import Connection

Code = str | int | None
Reason = Literal["busy", "timeout", "unreachable", "replaced"]


class UniqueViolation(IntegrityError):  # noqa: N818
    """A value that has to be unique is there already."""


class ForeignKeyViolation(IntegrityError):  # noqa: N818
    """A row refers to one that does not exist."""


class ReplacedError(OperationalError):
    """Files of a SQLite database are not those that were opened."""


def driver_error(exc: BaseException) -> BaseException:
    """Return the driver's error behind Peewee's; else the error itself."""
    orig: BaseException = getattr(exc, "orig", exc)
    return orig


def error_code(exc: BaseException) -> Code:
    """Return the code of a driver's error, or of Peewee's for it; None if it has none.

    psycopg has an SQLSTATE, PyMySQL and sqlite3 have numbers.
    """
    error = driver_error(exc)
    if error.args and isinstance(error.args[0], int):  # PyMySQL's.
        return error.args[0]
    code: Code = getattr(error, "sqlstate", getattr(error, "sqlite_errorcode", None))
    return code


def engine_of(error: BaseException) -> type[Connection] | None:
    """Return the engine of a driver's error; None for any other error."""
    driver = type(error).__module__.partition(".")[0]
    if driver == "sqlite3":
        from .sqlite import Sqlite

        return Sqlite
    if driver == "psycopg":
        from .postgresql import Postgresql

        return Postgresql
    if driver == "pymysql":
        from .mysql import Mysql

        return Mysql
    return None


def why_unavailable(exc: BaseException) -> Reason | None:
    """Return why the database cannot answer, if trying later may help; None for a bug.

    `busy`, `timeout` and `unreachable` may pass by themselves; `replaced` means files
    of a SQLite database that an operator has replaced.
    """
    error = driver_error(exc)
    if engine := engine_of(error):
        return engine.why_unavailable(error)
    if isinstance(exc, ReplacedError):
        return "replaced"
    if isinstance(exc, InterfaceError):
        return "unreachable"
    # Peewee's own, or the pool's.
    return "busy" if isinstance(exc, OperationalError) else None


def one_line(exc: BaseException) -> str:
    """Return the message of an error; a driver's may have several lines."""
    return " ".join(str(exc).split())


def without_values(exc: PeeweeException) -> PeeweeException:
    """Return the same error without values of a row, fit to be logged.

    The driver's own error, which a traceback would show as well, is cut off.
    """
    exc.__cause__ = exc.__context__ = None
    error = driver_error(exc)
    if engine := engine_of(error):
        exc.args = (engine.without_values(error),)
    return exc
