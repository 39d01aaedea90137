"""Queries whose SQL is built only once.

To build the SQL of a query takes Peewee longer than it takes SQLite to run it, so what
is asked all the time is written as a Statement.
"""

from typing import Any

from peewee import ModelSelect

from .database import db

Row = dict[str, Any]

# In the query of a Statement: a value that is given when the statement is run.
GIVEN = 0


class Statement:
    """A query, to be run with other values for those in it, in the order of its SQL.

    Each value that is not a column becomes a placeholder, also a limit or an offset.
    """

    def __init__(self, query: "ModelSelect[Any]") -> None:
        self._query = query
        # Another kind of database speaks another dialect.
        self._sql: dict[type, str] = {}

    def rows(self, *values: int | str) -> list[Row]:
        """Run it; the rows as the driver gives them, in dicts by column name."""
        cursor = db.execute_sql(self._text(), values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _text(self) -> str:
        kind = type(db.obj)
        if kind not in self._sql:
            self._sql[kind], _ = self._query.sql()
        return self._sql[kind]
