"""Relations of Peewee models: rows of many objects, loaded at once.

They are put where Peewee's own `prefetch` and `with_related` put them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from inspect import getattr_static
from itertools import islice
from typing import Any, TypeVar

from peewee import (
    BackrefAccessor,
    Field,
    ForeignKeyAccessor,
    ManyToManyFieldAccessor,
    Model,
    ModelSelect,
)

from .peewee_private import with_rows
from .size_limit import FEW, check_size, few

T = TypeVar("T")

# SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535.
BATCH = 30_000

# Instances that were loaded, by model and primary key.
Known = dict[tuple[type[Model], Any], Model]


class Relation:
    """A relation, by the attribute of the model; the related have a key of the owner.

    `key` is the field of the owner, and `link` the equal field of the related rows.
    """

    key: Field
    link: Field
    to: type[Model]
    many = True
    # Loaded rows are a list, and no query with rows.
    loads_lists = False

    def __init__(self, name: str, accessor: Any) -> None:
        self.name = name
        self.accessor = accessor

    def loaded(self, owner: Model) -> list[Any] | None:
        """Return loaded objects; None if Peewee would ask the database."""
        value = vars(owner).get(self.name)
        return None if value is None else list(value)

    def query(self) -> "ModelSelect[Any]":
        """Select any owner's related rows, in order."""
        raise NotImplementedError

    def known(self, row: Model, known: Known) -> Model:
        """Return the known instance of the row, or this one from now on."""
        return known_as(row, known)

    def put(self, owner: Model, rows: list[Model]) -> str:
        """Give the owner its rows; return the name of the attribute that has them."""
        raise NotImplementedError

    def load(self, owners: Iterable[Model], known: Known) -> list[tuple[Model, str]]:
        """Load these owners' rows; return each owner, and the attribute it was given.

        It takes a statement for each 30,000 keys. An owner without a key gets nothing.
        A known row stays the known instance.
        """
        of_key: dict[Any, list[Model]] = defaultdict(list)
        for owner in owners:
            of_key[owner.__data__.get(self.key.name)].append(owner)
        of_key.pop(None, None)
        rows_of: dict[Any, list[Model]] = defaultdict(list)
        for keys in batches(of_key):
            query = self.query().where(self.link.in_(keys))
            rows = list(few(query))
            if len(rows) > FEW:
                check_size(query, query.model._meta.sorted_fields)
                rows = list(query.clone())
            for row in rows:
                rows_of[row.__data__[self.link.name]].append(self.known(row, known))
        if self.many and not rows_of.keys() <= of_key.keys():
            # Keys that only the database takes for equal, by a collation.
            rows_of = {
                key: [
                    self.known(row, known)
                    for row in self.query().where(self.link == key)
                ]
                for key in of_key
            }
        return [
            (owner, self.put(owner, rows_of.get(key, [])))
            for key, same in of_key.items()
            for owner in same
            if self.many or key in rows_of
        ]


class ForeignKey(Relation):
    """Object of another model; one that is not found is left to Peewee."""

    many = False

    def __init__(self, name: str, accessor: ForeignKeyAccessor) -> None:
        super().__init__(name, accessor)
        self.key = accessor.field
        self.link = accessor.field.rel_field
        self.to = accessor.field.rel_model

    def loaded(self, owner: Model) -> list[Any] | None:
        if self.name not in owner.__rel__:
            return None
        return [owner.__rel__[self.name]]

    def query(self) -> "ModelSelect[Any]":
        query: ModelSelect[Any] = self.to.select()
        return query

    def put(self, owner: Model, rows: list[Model]) -> str:
        owner.__rel__[self.name] = rows[0]
        return self.name


class Backref(Relation):
    """Objects that refer to the owner, in the order of their primary key."""

    def __init__(self, name: str, accessor: BackrefAccessor) -> None:
        super().__init__(name, accessor)
        self.key = accessor.field.rel_field
        self.link = accessor.field
        self.to = accessor.field.model

    def query(self) -> "ModelSelect[Any]":
        return in_order(self.to.select(), self.to)

    def put(self, owner: Model, rows: list[Model]) -> str:
        # A query that has run: a validator may make another one of it.
        query = self.accessor.__get__(owner)
        vars(owner)[self.name] = with_rows(query, rows)
        return self.name


class ManyToMany(Relation):
    """Objects at the other end of links, which Peewee reads from the backref."""

    loads_lists = True

    def __init__(self, name: str, accessor: ManyToManyFieldAccessor) -> None:
        super().__init__(name, accessor)
        self.link = accessor.src_fk
        self.key = accessor.src_fk.rel_field
        self.links: str = accessor.src_fk.backref
        self.other = accessor.dest_fk
        self.to = accessor.rel_model

    def loaded(self, owner: Model) -> list[Any] | None:
        links = vars(owner).get(self.links)
        if not isinstance(links, list):
            return None
        return [getattr(link, self.other.name) for link in links]

    def query(self) -> "ModelSelect[Any]":
        query: ModelSelect[Any] = ModelSelect(self.link.model, [self.link, self.to])
        return in_order(query.join(self.to, on=self.other), self.to)

    def known(self, row: Model, known: Known) -> Model:
        name = self.other.name
        row.__rel__[name] = known_as(row.__rel__[name], known)
        return row

    def put(self, owner: Model, rows: list[Model]) -> str:
        vars(owner)[self.links] = rows
        return self.links


KINDS: dict[type, Any] = {
    ForeignKeyAccessor: ForeignKey,
    BackrefAccessor: Backref,
    ManyToManyFieldAccessor: ManyToMany,
}


def relation_of(model: type[Model], name: str) -> Relation | None:
    """Return the relation that the attribute of the model is; None for any other.

    Also None where a program changes how Peewee reads it: by an accessor of its own,
    or with `lazy_load=False`.
    """
    accessor = getattr_static(model, name, None)
    kind = KINDS.get(type(accessor))
    if kind is ForeignKey and not accessor.field.lazy_load:
        return None
    if kind is ManyToMany and accessor.src_fk.backref in ("+", "!"):
        return None
    relation: Relation | None = kind and kind(name, accessor)
    return relation


def known_as(row: Model, known: Known) -> Model:
    """Return the known instance of the row, or this one from now on."""
    key = row.get_id()
    return row if key is None else known.setdefault((type(row), key), row)


def in_order(query: "ModelSelect[Any]", model: type[Model]) -> "ModelSelect[Any]":
    """Order the query by the primary key, after its own order."""
    keys = model._meta.get_primary_keys()
    return query.order_by_extend(*keys) if keys else query


def batches(keys: Iterable[T]) -> Iterator[list[T]]:
    """Split keys into batches for a statement."""
    rest = iter(keys)
    while batch := list(islice(rest, BATCH)):
        yield batch
