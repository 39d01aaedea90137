"""The only place where private parts of Peewee are looked at."""

from collections.abc import Generator
from typing import Any

from peewee import CursorWrapper, Model

# Methods of a database that are no statement: they read the result of one, after which
# others may have their turn, or keep Peewee's own account of transactions. Callbacks
# after a commit may wait for another thread.
NO_STATEMENT = frozenset(
    {
        *("last_insert_id", "rows_affected"),
        *("in_transaction", "transaction_depth", "top_transaction"),
        *("push_transaction", "pop_transaction"),
        *("after_commit", "_run_commit_callbacks", "_clear_commit_callbacks"),
    }
)


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


def order_of(query: Any) -> tuple[Any, ...]:
    """Return the nodes of the query's ORDER BY."""
    return query._order_by or ()


def is_grouped(query: Any) -> bool:
    """Return whether the query has a GROUP BY."""
    return bool(query._group_by)
