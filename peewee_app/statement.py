"""Queries whose SQL is built only once.

To build the SQL of a query takes Peewee longer than it takes SQLite to run it, so what
is asked all the time is written as a Statement.
"""

from typing import Any

from peewee import ModelInsert, ModelSelect

from .database import db

# A row, by the order of its columns.
Values = tuple[Any, ...]

# In the query of a Statement: a value that is given when the statement is run.
GIVEN = 0


class Statement:
    """A query, to be run with other values for those in it, in the order of its SQL.

    Each value that is not a column becomes a placeholder, also a limit or an offset.
    """

    def __init__(self, query: "ModelSelect[Any] | ModelInsert") -> None:
        self._query = query
        # Another kind of database speaks another dialect.
        self._sql: dict[type, str] = {}

    def rows(self, *values: int | str) -> list[Values]:
        """Run it, a SELECT; the rows as the driver gives them."""
        return list(db.execute_sql(self._text(), values).fetchall())

    def new_id(self, *values: int | str | None) -> int:
        """Run it, an INSERT of one row; the id of that row."""
        cursor = db.execute_sql(self._text(), values)
        new_id: int = (
            cursor.fetchone()[0] if db.returning_clause else db.last_insert_id(cursor)
        )
        return new_id

    def _text(self) -> str:
        kind = type(db.obj)
        if kind not in self._sql:
            query = self._query
            # PostgreSQL has no other way to tell the new id, and MySQL not this one.
            if isinstance(query, ModelInsert) and db.returning_clause:
                query = query.returning(query.model.id)
            self._sql[kind], _ = query.sql()
        return self._sql[kind]
