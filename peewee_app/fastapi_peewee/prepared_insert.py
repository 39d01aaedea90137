"""Inserts of one row, whose SQL is built once for each set of columns.

To build it takes Peewee longer than all else that `Model.create` does.
"""

from collections.abc import Hashable
from typing import Any

from peewee import Database, Field, ForeignKeyField, Model, ModelInsert, Node

from .peewee_private import row_of
from .prepared import Given, Parameter, Statement, bind, dialect


class Column(Given):
    """Stands for the value of a column."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.name)
        self._field = field

    def __sql__(self, ctx: Any) -> Any:
        return ctx.value(Parameter(self, self._field.db_value), converter=False)


def insert_statement(database: Database, query: Any) -> Statement | None:
    """The SQL of a `Model.create` or `Model.insert`, and its values.

    None for any other query, and for one in which a value is more than a parameter.
    """
    row = row_of(query)
    if row is None or not all(is_value(field, row[field]) for field in row):
        return None
    values = {field.name: value for field, value in row.items()}
    key = dialect(database), query.model, *values
    if key not in _statements:
        template = ModelInsert(query.model, {field: Column(field) for field in row})
        statement = database.get_sql_context().parse(template)
        plain = database.get_sql_context().parse(query)
        same = bind(statement, values) == plain
        _statements[key] = statement if same else None
    kept = _statements[key]
    if kept is None:
        return None
    sql, parameters = bind(kept, values)
    # A field may convert a value to SQL.
    return None if any(map(is_sql, parameters)) else (sql, parameters)


def is_value(field: Field, value: Any) -> bool:
    """Whether the field makes a parameter of the value: an instance is its key."""
    return not is_sql(value) or (
        isinstance(value, Model) and isinstance(field, ForeignKeyField)
    )


def is_sql(value: Any) -> bool:
    """Whether Peewee would write the value into the SQL."""
    return isinstance(value, Node)


_statements: dict[Hashable, Statement | None] = {}
