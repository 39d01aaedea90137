"""Relations of Peewee models: rows of many objects, loaded at once.

They are put where Peewee's own `prefetch` and `with_related` put them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from inspect import getattr_static
from typing import Any

from peewee import (
    BackrefAccessor,
    Field,
    ForeignKeyAccessor,
    ForeignKeyField,
    ManyToManyFieldAccessor,
    Model,
    ModelSelect,
)

from . import size_limit
from .peewee_private import with_rows

# SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535.
BATCH = 30_000

# Instances that were loaded, by model and primary key.
Known = dict[tuple[type[Model], Any], Model]
# Runs the query for these keys, with at most so many rows.
Run = Callable[[list[Any], int | None], Sequence[Any]]


class Relation:
    """A relation, by the attribute of the model; the related have a key of the owner.

    `key` is the field of the owner, and `link` the equal field of the related rows.
    """

    many = True
    # Loaded rows are a list, and no query with rows.
    loads_lists = False

    def __init__(self, name: str, key: Field, link: Field) -> None:
        self.key = key
        self.link = link
        self.to: type[Model] = link.model
        # Attribute of the owner that has what is loaded.
        self.attribute = name

    def loaded(self, owner: Model) -> list[Any] | None:
        """Return loaded objects; None if Peewee would ask the database."""
        value = vars(owner).get(self.attribute)
        return None if value is None else list(value)

    def query(self, keys: list[Any]) -> "ModelSelect[Any]":
        """Select the related rows of these keys, in order."""
        query = self.select().where(self.link.in_(keys))
        order = self.to._meta.get_primary_keys()
        return query.order_by_extend(*order) if order else query

    def select(self) -> "ModelSelect[Any]":
        """Select any owner's related rows."""
        query: ModelSelect[Any] = self.to.select()
        return query

    def rows(self, keys: list[Any], run: Run, fields: Sequence[Field]) -> list[Any]:
        """Return the related rows of these keys, with these columns.

        It takes a statement for each 30,000 keys.
        """
        rows: list[Any] = []
        for batch in padded(keys):
            found = run(batch, size_limit.FEW + 1)
            if len(found) > size_limit.FEW:
                size_limit.check_size(self.query(batch), fields)
                found = run(batch, None)
            rows += found
        return rows

    def load(self, owners: Sequence[Model], known: Known) -> None:
        """Load these owners' rows. A known row stays the known instance.

        An owner without a key is left to Peewee.
        """
        keys = [owner.__data__.get(self.key.name) for owner in owners]
        found = by_key(keys, partial(self._fetch, known))
        for owner, rows in zip(owners, found, strict=True):
            if rows is not None:
                self.put(owner, rows)

    def put(self, owner: Model, rows: list[Model]) -> None:
        """Give the owner its rows."""
        raise NotImplementedError

    def known(self, row: Model, known: Known) -> Model:
        """Return the known instance of the row, or this one from now on."""
        return known_as(row, known)

    def _fetch(self, known: Known, keys: list[Any]) -> Iterator[tuple[Any, Model]]:
        def run(keys: list[Any], limit: int | None) -> list[Any]:
            return list(self.query(keys).limit(limit))

        for row in self.rows(keys, run, self.to._meta.sorted_fields):
            yield row.__data__[self.link.name], self.known(row, known)


class ForeignKey(Relation):
    """Object of another model; one that is not found is left to Peewee."""

    many = False

    def loaded(self, owner: Model) -> list[Any] | None:
        related = owner.__rel__
        return [related[self.attribute]] if self.attribute in related else None

    def put(self, owner: Model, rows: list[Model]) -> None:
        if rows:
            owner.__rel__[self.attribute] = rows[0]


class Backref(Relation):
    """Objects that refer to the owner, in the order of their primary key."""

    def put(self, owner: Model, rows: list[Model]) -> None:
        # A query that has run: a validator may make another one of it.
        query = getattr(owner, self.attribute)
        vars(owner)[self.attribute] = with_rows(query, rows)


class ManyToMany(Relation):
    """Objects at the other end of links, which Peewee reads from the backref."""

    loads_lists = True

    def __init__(self, links: ForeignKeyField, other: ForeignKeyField) -> None:
        super().__init__(links.backref, links.rel_field, links)
        self.other = other
        self.to = other.rel_model

    def loaded(self, owner: Model) -> list[Any] | None:
        links = vars(owner).get(self.attribute)
        if not isinstance(links, list):
            return None
        return [getattr(link, self.other.name) for link in links]

    def select(self) -> "ModelSelect[Any]":
        query: ModelSelect[Any] = ModelSelect(self.link.model, [self.link, self.to])
        return query.join(self.to, on=self.other)

    def put(self, owner: Model, rows: list[Model]) -> None:
        vars(owner)[self.attribute] = rows

    def known(self, row: Model, known: Known) -> Model:
        name = self.other.name
        row.__rel__[name] = known_as(row.__rel__[name], known)
        return row


def relation_of(model: type[Model], name: str) -> Relation | None:
    """Return the relation that the attribute of the model is; None for any other.

    Also None where a program changes how Peewee reads it: by an accessor of its own,
    or with `lazy_load=False`.
    """
    accessor: Any = getattr_static(model, name, None)
    kind = type(accessor)
    if kind is ForeignKeyAccessor and accessor.field.lazy_load:
        return ForeignKey(name, accessor.field, accessor.field.rel_field)
    if kind is BackrefAccessor:
        return Backref(name, accessor.field.rel_field, accessor.field)
    if kind is ManyToManyFieldAccessor and accessor.src_fk.backref not in ("+", "!"):
        return ManyToMany(accessor.src_fk, accessor.dest_fk)
    return None


def by_key(
    keys: Sequence[Any], fetch: Callable[[list[Any]], Iterable[tuple[Any, Any]]]
) -> list[list[Any] | None]:
    """Return what is related to each key; None for a key that is None.

    `fetch` yields what is related to some keys, with the key of each. Keys that only
    the database takes for equal, by a collation, and those that are not hashable are
    fetched one by one.
    """
    try:
        of_key: dict[Any, list[Any]] = {key: [] for key in keys if key is not None}
        for key, item in fetch(list(of_key)):
            of_key[key].append(item)
    except (KeyError, TypeError):
        return [
            None if key is None else [item for _, item in fetch([key])] for key in keys
        ]
    return list(map(of_key.get, keys))


def known_as(row: Model, known: Known) -> Model:
    """Return the known instance of the row, or this one from now on."""
    key = row.get_id()
    try:
        return row if key is None else known.setdefault((type(row), key), row)
    except TypeError:  # It is not hashable.
        return row


def padded(keys: list[Any]) -> Iterator[list[Any]]:
    """Split keys into batches for a statement, of few different lengths.

    Each length is a statement of its own, whose SQL may be kept.
    """
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        length = min(1 << (len(batch) - 1).bit_length(), BATCH)
        yield batch + batch[-1:] * (length - len(batch))
