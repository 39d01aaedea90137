"""The only place where private parts of Peewee are looked at: those of a query."""

from itertools import zip_longest
from typing import Any

from peewee import Field, ModelInsert


def is_plain(query: Any) -> bool:
    """Whether the query just selects columns of its model, to make instances.

    It does not if it loads relations of its own accord, makes other rows than
    instances, has columns that are not the model's, or has run already.
    """
    return (
        query._cursor_wrapper is None
        and query._row_type is None
        and not getattr(query, "_load_tree", None)
        and all(
            getattr(column, "model", None) is query.model
            for column in getattr(query, "selected_columns", ())
        )
    )


def row_of(query: Any) -> dict[Field, Any] | None:
    """The row that the query inserts, by its fields, if it does just that.

    It does not if it inserts several, resolves a conflict, leaves a default to Peewee,
    or returns anything but the primary key.
    """
    if not isinstance(query, ModelInsert):
        return None
    insert: Any = query
    row, meta = insert._insert, insert.model._meta
    returned = zip_longest(insert._returning or (), meta.get_primary_keys())
    does_more = (
        not isinstance(row, dict)
        or insert._columns
        or insert._on_conflict
        or insert._cte_list
        or insert._as_rowcount
        or (insert._returning and any(column is not key for column, key in returned))
        or not row.keys() >= meta.defaults.keys()
    )
    return None if does_more else row
