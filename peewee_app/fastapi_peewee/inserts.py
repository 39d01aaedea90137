"""INSERT of one row, such as `Model.create` runs, whose SQL is built once.

Peewee takes longer to build the SQL than for all else that `create` does.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

from peewee import Database, Field, Node

from .peewee_private import inserted_row
from .prepared import MAX_KEPT, dialect


class Insert(NamedTuple):
    """SQL of an INSERT; None where it depends on more than the names of columns."""

    sql: str | None
    # Columns in the order of their values.
    fields: list[Any]


def insert_of(database: Database, query: Any) -> tuple[str, list[Any]] | None:
    """Return the SQL and the values of an INSERT of one row.

    Returns None for any other query, and where a value becomes more than a parameter.
    """
    row, key = inserted_row(query)
    if not row or any(isinstance(value, Node) for value in row.values()):
        return None
    # By its id, since Peewee makes SQL of `==`. What is kept keeps the field.
    columns = [(id(column), name_of(column)) for column in row]
    shape = dialect(query.model, database), *columns, *map(name_of, key)
    kept = _kept.get(shape)
    if kept is None:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        kept = _kept[shape] = build(database, query, row)
    if kept.sql is None:
        return None
    values = [field.db_value(row[field]) for field in kept.fields]
    return None if any(isinstance(v, Node) for v in values) else (kept.sql, values)


def name_of(column: Any) -> str | None:
    """Return a field's name in the database, which a program may change."""
    return getattr(column, "column_name", None)


def build(database: Database, query: Any, row: dict[Any, Any]) -> Insert:
    """Return the SQL of an INSERT of these columns."""
    context = database.get_sql_context()
    columns = sorted(row, key=lambda column: column.get_sort_key(context))
    sql, parameters = context.parse(query)
    fields = [column for column in columns if isinstance(column, Field)]
    values = [field.db_value(row[field]) for field in fields]
    return Insert(sql if parameters == values else None, columns)


# By all that the SQL depends on.
_kept: dict[Hashable, Insert] = {}
