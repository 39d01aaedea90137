"""The only place where private parts of Peewee are looked at: those of a query."""

from typing import Any


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
