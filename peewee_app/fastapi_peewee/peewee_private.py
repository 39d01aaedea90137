"""The only place where private parts of Peewee are looked at: those of a query."""

from collections.abc import Generator
from typing import Any

from peewee import CursorWrapper, Model


class Rows(CursorWrapper):
    """What a query has fetched, as if it had run."""

    def __init__(self, rows: list[Model]) -> None:
        super().__init__(None)
        self.row_cache = rows
        self.count = len(rows)
        self.populated = True

    def iterator(self) -> Generator[Any, None, None]:
        """Yield the rows, as those of a cursor that keeps none."""
        yield from self.row_cache


def with_rows(query: Any, rows: list[Model]) -> Any:
    """Return the query with these rows as its result; what is made of it runs anew."""
    query._cursor_wrapper = Rows(rows)
    return query


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
