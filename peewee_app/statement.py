"""Queries whose SQL is built only once.

To build the SQL of a query takes Peewee longer than it takes SQLite to run it, so what
is asked all the time is written as a Statement.
"""

from typing import Any, Generic, TypeVar

from peewee import Model, ModelSelect

from .database import db

Row = dict[str, Any]
M = TypeVar("M", bound=Model)

# In the query of a Statement: a value that is given when the statement is run.
GIVEN = 0


class Statement(Generic[M]):
    """A query, to be run with other values for those in it, in the order of its SQL.

    Each value that is not a column becomes a placeholder, also a limit or an offset.
    """

    def __init__(self, query: "ModelSelect[M]") -> None:
        self._query = query
        # Another kind of database speaks another dialect.
        self._sql: dict[type, str] = {}

    def objects(self, *values: int | str) -> list[M]:
        """Run it; the rows as model instances."""
        return list(self._query.model.raw(self._text(), *values))

    def rows(self, *values: int | str) -> list[Row]:
        """Run it; the rows as the driver gives them, in dicts by column name.

        That is several times faster than to make instances.
        """
        cursor = db.execute_sql(self._text(), values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _text(self) -> str:
        kind = type(db.obj)
        if kind not in self._sql:
            self._sql[kind], _ = self._query.sql()
        return self._sql[kind]
