"""The only place where private parts of Peewee are looked at."""

from typing import Any

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
