"""Rows that come after a row, in any order of a query.

The primary key names a row. It also ends each order, so that no two rows are equal in
it. The database looks the row's place up by its key, and compares: it knows best what
is greater, and no value has to leave it.
"""

from collections.abc import Sequence
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from peewee import SQL, Field, ModelSelect, Node, Ordering, PostgresqlDatabase

from .peewee_private import clause

Query: TypeAlias = "ModelSelect[Any]"
# Values of the columns of a primary key.
Key: TypeAlias = tuple[Any, ...]
# Key of a row, and which of the values that order it are NULL: of none, if that is the
# key alone. Before all rows, there is no key.
Place: TypeAlias = tuple[Key | None, Sequence[bool]]

OPPOSITE = {"ASC": "DESC", "DESC": "ASC", "FIRST": "LAST", "LAST": "FIRST", None: None}
TRUE, FALSE = SQL("1 = 1"), SQL("1 = 0")


class Term:
    """Column or expression that a query is ordered by.

    Raises TypeError for a node of ORDER BY whose values cannot be compared.
    """

    def __init__(self, query: Query, node: Any) -> None:
        if not isinstance(node, Node) or isinstance(node, SQL):
            raise TypeError(
                f"A page cannot go on in the order of {node!r}: order by fields, or by "
                "expressions of fields, which can be compared."
            )
        ordering = node if isinstance(node, Ordering) else Ordering(node, "ASC")
        self.ordering = ordering
        self.is_descending = ordering.direction == "DESC"
        column = ordering.node
        # Terms of one column have one id.
        self.id = id(column)
        # As a condition can have it.
        self.node = column.unalias()
        if ordering.collation:
            self.node = self.node.collate(ordering.collation)
        is_own = isinstance(column, Field) and column.model is query.model
        if is_own and not column.null:
            self.has_nulls_last = False
        elif ordering.nulls:
            self.has_nulls_last = ordering.nulls.upper() == "LAST"
        else:  # PostgreSQL sorts NULL after all values, the others before.
            database = query.model._meta.database
            engine = getattr(database, "obj", database)
            is_greatest = isinstance(engine, PostgresqlDatabase)
            self.has_nulls_last = is_greatest != self.is_descending

    def after(self, value: Any, *, or_equal: bool = False) -> Any:
        """Return the condition for rows after the value, which is None for NULL."""
        if value is None and self.has_nulls_last:
            return self.node.is_null() if or_equal else FALSE
        if value is None:
            return TRUE if or_equal else self.node.is_null(False)
        greater, less = (ge, le) if or_equal else (gt, lt)
        condition = (less if self.is_descending else greater)(self.node, value)
        return condition | self.node.is_null() if self.has_nulls_last else condition


def keys_of(query: Query) -> list[Field]:
    """Return the fields of the primary key of the query's model."""
    names = [key.name for key in query.model._meta.get_primary_keys()]
    return [getattr(query.model, name) for name in names]


def terms_of(query: Query) -> list[Term]:
    """Return the terms by which to order the query; the primary key is the last.

    The key has the direction of the term before it, so that one index serves for both.

    Raises TypeError for a query whose rows cannot be compared.
    """
    keys = keys_of(query) if isinstance(query, ModelSelect) else []
    if not keys:
        raise TypeError(
            "A page needs a select() of a model that has a primary key: it goes on "
            "after a key. A union can be a subquery: Model.select().where(Model.id.in_"
            "(a | b))."
        )
    order = [Term(query, node) for node in clause(query, "order_by") or ()]
    direction = order[-1].ordering.direction if order else "ASC"
    order += [Term(query, Ordering(key, direction)) for key in keys]
    terms: dict[int, Term] = {}
    left = {id(key) for key in keys}
    for term in order:
        # After the whole key, nothing is equal any more.
        if left:
            terms.setdefault(term.id, term)
        left.discard(term.id)
    return list(terms.values())


def backwards(query: Query) -> list[Term]:
    """Return the terms for the opposite order."""
    terms = []
    for old in [term.ordering for term in terms_of(query)]:
        nulls = OPPOSITE[old.nulls and old.nulls.upper()]
        new = Ordering(old.node, OPPOSITE[old.direction], old.collation, nulls)
        terms.append(Term(query, new))
    return terms


def is_by_key(query: Query) -> bool:
    """Return whether the primary key alone determines the order."""
    return {term.id for term in terms_of(query)} <= {id(key) for key in keys_of(query)}


def row_with(query: Query, key: Key) -> Query:
    """Return the row of the query that has the key."""
    conditions = (f == value for f, value in zip(keys_of(query), key, strict=True))
    return query.where(*conditions).order_by().limit(1).offset(None)


def place_of(query: Query, key: Key) -> Place | None:
    """Return the place of the row with the key; None if the query has no such row."""
    values = [term.node.is_null() for term in terms_of(query)]
    nulls = row_with(query, key).select(*values).tuples().first()
    return nulls and (key, nulls)


def rows_after(query: Query, place: Place, skip: Any, limit: Any) -> Query:
    """Return `limit` rows after the place."""
    return beyond(query, terms_of(query), place).offset(skip).limit(limit)


def row_before(query: Query, place: Place, rows: Any) -> Query:
    """Return the row that is `rows` rows before the one at the place."""
    row = beyond(query, backwards(query), place, or_equal=True)
    return row.offset(rows).limit(1)


def beyond(
    query: Query, terms: Sequence[Term], place: Place, *, or_equal: bool = False
) -> Query:
    """Return the rows after the place, or from it on, in the order of the terms.

    The columns of the primary key are selected, too.
    """
    keys = keys_of(query)
    selected = {id(column) for column in query.selected_columns}
    rows = query.select_extend(*(k for k in keys if id(k) not in selected))
    rows = rows.order_by(*(term.ordering for term in terms))
    key, nulls = place
    if key is None:
        return rows
    known = dict(zip(map(id, keys), key, strict=True))
    values = [known.get(term.id) for term in terms]
    for n, is_null in enumerate(nulls):
        if not is_null and terms[n].id not in known:
            values[n] = row_with(query, key).select(terms[n].node)
    *before, (last, value) = zip(terms, values, strict=True)
    condition = last.after(value, or_equal=or_equal)
    for term, value in reversed(before):
        # By its first half, an index leads to the first row.
        condition = term.after(value, or_equal=True) & (term.after(value) | condition)
    add = rows.having if clause(query, "group_by") else rows.where
    return add(condition)
