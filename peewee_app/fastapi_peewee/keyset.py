"""Rows that come after a row, in any order of a query.

The primary key names a row. It also ends each order, so that no two rows are equal in
it. The database looks the row's place up by its key, and compares: it knows best what
is greater, and no value has to leave it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

from peewee import (
    OP,
    SQL,
    Expression,
    Field,
    ModelSelect,
    Node,
    Ordering,
    PostgresqlDatabase,
)

from .peewee_private import is_grouped, order_of

Query: TypeAlias = "ModelSelect[Any]"

TRUE, FALSE = SQL("1 = 1"), SQL("1 = 0")


@dataclass(frozen=True)
class Term:
    """A column or an expression that a query is ordered by."""

    ordering: Ordering
    is_nullable: bool = False
    nulls_last: bool = False

    @property
    def node(self) -> Any:
        """Expression, as a condition can have it."""
        node, collation = self.ordering.node.unalias(), self.ordering.collation
        return node.collate(collation) if collation else node

    def backwards(self) -> Self:
        """Return the term for the opposite direction."""
        old = self.ordering
        direction = "ASC" if old.direction == "DESC" else "DESC"
        nulls = old.nulls and ("FIRST" if old.nulls.upper() == "LAST" else "LAST")
        ordering = Ordering(old.node, direction, old.collation, nulls)
        return replace(self, ordering=ordering, nulls_last=not self.nulls_last)

    def after(self, value: Any, *, or_equal: bool = False) -> Any:
        """Return the condition for rows after the value."""
        if value is None and self.nulls_last:
            return self.node.is_null() if or_equal else FALSE
        if value is None:
            return TRUE if or_equal else self.node.is_null(False)
        greater, less = (OP.GTE, OP.LTE) if or_equal else (OP.GT, OP.LT)
        operator = less if self.ordering.direction == "DESC" else greater
        condition = Expression(self.node, operator, value)
        if self.is_nullable and self.nulls_last:
            return condition | self.node.is_null()
        return condition


def keys_of(query: Query) -> list[Field]:
    """Return the fields of the primary key of the query's model."""
    names = [key.name for key in query.model._meta.get_primary_keys()]
    return [getattr(query.model, name) for name in names]


def with_keys(query: Query) -> Query:
    """Return the query with the primary key selected, too."""
    selected = {id(column) for column in query.selected_columns}
    return query.select_extend(*(k for k in keys_of(query) if id(k) not in selected))


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
    terms: list[Term] = []
    left = {id(key) for key in keys}
    order = order_of(query)
    if order and term_of(query, order[-1]).ordering.direction == "DESC":
        last = [key.desc() for key in keys]
    else:
        last = [key.asc() for key in keys]
    for node in [*order, *last]:
        term = term_of(query, node)
        place = id(term.ordering.node)
        # After the whole key, nothing is equal any more.
        if left and place not in {id(known.ordering.node) for known in terms}:
            terms.append(term)
        left.discard(place)
    return terms


def term_of(query: Query, node: Any) -> Term:
    """Return the term for a node of an ORDER BY."""
    if not isinstance(node, Node) or isinstance(node, SQL):
        raise TypeError(
            f"A page cannot go on in the order of {node!r}: order by fields, or by "
            "expressions of fields, which can be compared."
        )
    ordering = node if isinstance(node, Ordering) else Ordering(node, "ASC")
    field = ordering.node
    if isinstance(field, Field) and field.model is query.model and not field.null:
        return Term(ordering)
    if ordering.nulls:
        return Term(ordering, True, ordering.nulls.upper() == "LAST")
    # PostgreSQL sorts NULL after all values, the others before.
    database = query.model._meta.database
    is_greatest = isinstance(getattr(database, "obj", database), PostgresqlDatabase)
    return Term(ordering, True, is_greatest == (ordering.direction == "ASC"))


def is_by_key(query: Query) -> bool:
    """Return whether the primary key alone determines the order."""
    keys = {id(key) for key in keys_of(query)}
    return all(id(term.ordering.node) in keys for term in terms_of(query))


def row_with(query: Query, key: Sequence[Any]) -> Query:
    """Return the row of the query that has the key."""
    conditions = (f == value for f, value in zip(keys_of(query), key, strict=True))
    return query.where(*conditions).order_by().limit(1).offset(None)


def nulls_of(query: Query, key: Sequence[Any]) -> Sequence[bool] | None:
    """Return which of the values that order the row with the key are NULL.

    None if the query has no such row.
    """
    values = [term.node.is_null() for term in terms_of(query)]
    nulls: tuple[bool, ...] | None = (
        row_with(query, key).select(*values).tuples().first()
    )
    return nulls


def rows_after(
    query: Query,
    key: Sequence[Any] | None,
    nulls: Sequence[bool],
    skip: Any,
    limit: Any,
) -> Query:
    """Return `limit` rows after the one with the key, or from the first one on.

    `nulls` comes from `nulls_of`, or is empty if the query is ordered by its key.
    """
    terms = terms_of(query)
    page = with_keys(query).order_by(*(term.ordering for term in terms))
    if key is not None:
        page = add(page, beyond(terms, place_of(query, terms, key, nulls)))
    return page.offset(skip).limit(limit)


def row_before(
    query: Query, key: Sequence[Any], nulls: Sequence[bool], rows: Any
) -> Query:
    """Return the row that is `rows` rows before the one with the key."""
    place = place_of(query, terms_of(query), key, nulls)
    terms = [term.backwards() for term in terms_of(query)]
    row = with_keys(query).order_by(*(term.ordering for term in terms))
    return add(row, beyond(terms, place, or_equal=True)).offset(rows).limit(1)


def place_of(
    query: Query, terms: Sequence[Term], key: Sequence[Any], nulls: Sequence[bool]
) -> list[Any]:
    """Return the values that order the row with the key; None for NULL."""
    values = {
        id(field): value for field, value in zip(keys_of(query), key, strict=True)
    }
    place: list[Any] = []
    for term, is_null in zip(terms, nulls or [False] * len(terms), strict=True):
        field = id(term.ordering.node)
        if field not in values and not is_null:
            values[field] = row_with(query, key).select(term.node)
        place.append(values.get(field))
    return place


def beyond(
    terms: Sequence[Term], place: Sequence[Any], *, or_equal: bool = False
) -> Any:
    """Return the condition for rows that come after the place, or are there."""
    *before, last = zip(terms, place, strict=True)
    condition = last[0].after(last[1], or_equal=or_equal)
    for term, value in reversed(before):
        # By its first half, an index leads to the first row.
        condition = term.after(value, or_equal=True) & (term.after(value) | condition)
    return condition


def add(query: Query, condition: Any) -> Query:
    """Return the rows of the query that meet the condition."""
    return query.having(condition) if is_grouped(query) else query.where(condition)
