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


def order_of(query: Any) -> tuple[Any, ...]:
    """Return the nodes of the query's ORDER BY."""
    return query._order_by or ()


def is_grouped(query: Any) -> bool:
    """Return whether the query has a GROUP BY."""
    return bool(query._group_by)
