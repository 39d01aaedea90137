"""Private parts of Peewee, which no other module uses."""

from collections.abc import Generator
from typing import Any

from peewee import (
    SQL,
    AliasManager,
    CursorWrapper,
    Database,
    Field,
    Model,
    ModelInsert,
    ModelSelect,
)

# Not a query of another kind, which may have clauses of its own.
PLAIN = {ModelSelect}

# Clauses that look at the columns that are selected, or load relations.
WHOLE_ROWS = (
    *("simple_distinct", "distinct", "group_by", "having"),
    *("windows", "cte_list", "load_tree"),
)

# Methods of a database that are no statement: they read the result of one, after which
# others may run theirs, or keep Peewee's own account of transactions. Callbacks
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
    """Result of a query, as if it had run."""

    def __init__(self, rows: list[Model]) -> None:
        super().__init__(None)
        self.row_cache = rows
        self.count = len(rows)
        self.populated = True

    def iterator(self) -> Generator[Any, None, None]:
        """Yield the rows, like a cursor that keeps none."""
        yield from self.row_cache


def with_rows(query: Any, rows: list[Model]) -> Any:
    """Return the query with these rows as its result; queries made of it run anew."""
    query._cursor_wrapper = Rows(rows)
    return query


class Sources(AliasManager):
    """Aliases of a query's sources, and their models."""

    def __init__(self) -> None:
        self.models: dict[type[Model], None] = {}
        super().__init__()

    def __setitem__(self, source: Any, alias: str) -> None:
        super().__setitem__(source, alias)
        model = getattr(source, "_model", None) or getattr(source, "model", None)
        if isinstance(model, type) and issubclass(model, Model):
            self.models[model] = None


def build(database: Database, query: Any) -> tuple[str, list[Any], list[type[Model]]]:
    """Return the SQL of the query, its parameters, and its models."""
    context = database.get_sql_context()
    context.alias_manager = sources = Sources()
    sql, parameters = context.parse(query)
    return sql, parameters, list(sources.models)


def is_narrowable(query: Any, fields: list[Field]) -> bool:
    """Return whether the query has the same rows with only these fields selected."""
    selected = query.selected_columns
    chosen = {id(column) for column in selected}
    return (
        # It selects columns of one model, these among them, to make instances.
        type(query) in PLAIN
        and query._from_list == [query.model]
        and all(getattr(column, "model", None) is query.model for column in selected)
        and chosen.issuperset(map(id, fields))
        and is_fresh(query)
        and all(clause(query, name) is None for name in WHOLE_ROWS)
        # Nor is a term of ORDER BY SQL, which may count the columns.
        and not any(
            isinstance(getattr(term, "node", term), SQL)
            for term in query._order_by or ()
        )
    )


def is_fresh(query: Any) -> bool:
    """Return whether the query has not run, and makes instances."""
    return query._cursor_wrapper is None and query._row_type is None


def loads_related(query: Any) -> bool:
    """Return whether the query loads relations itself."""
    return bool(query._load_tree)


def clause(query: Any, name: str) -> Any:
    """Return what the query has for this clause, or None."""
    return getattr(query, f"_{name}")


def inserted_row(query: Any) -> tuple[dict[Any, Any], tuple[Field, ...]]:
    """Return the row of a plain INSERT, and the key that it returns; {} for others."""
    is_insert = type(query) is ModelInsert
    is_plain = (
        is_insert
        and type(query._insert) is dict
        and query._columns is query._on_conflict is query._cte_list is None
        # It returns nothing but the key.
        and not query._return_cursor
    )
    return (query._insert, query._returning or ()) if is_plain else ({}, ())


def rows_as_of(query: Any, plain: Any) -> Any:
    """Return `plain` with the row type of the query: `dicts`, for example."""
    if query._row_type:
        plain = plain.clone()
        plain._row_type, plain._constructor = query._row_type, query._constructor
    return plain


def cursor_wrapper(query: Any, plain: Any, cursor: Any) -> Any:
    """Return the wrapper that `plain` has for the cursor."""
    return rows_as_of(query, plain)._get_cursor_wrapper(cursor)
