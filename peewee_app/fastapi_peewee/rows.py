"""Fast way: Pydantic reads light objects, made of rows, in place of instances.

A light object has only the columns and the relations that its schema names: instances
take four times as long to make. Pydantic reads it like an instance, so the result is
the same. Where it might not be, the plain way reads instances: see `fits`, `source_of`
and `is_narrowable`.
"""

from collections import namedtuple
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from inspect import getattr_static
from itertools import chain, islice
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    Field,
    FieldAccessor,
    IntegerField,
    Model,
    ModelSelect,
    ObjectIdAccessor,
    TextField,
)

from .core_schemas import CoreSchema, Node, reads_fields_alone
from .keyset import Key
from .peewee_private import is_fresh, is_narrowable
from .prepared import PreparedQuery, changed, dialect
from .relations import BATCH, Relation, relation_of
from .size_limit import FEW, check_size, few

Row = tuple[Any, ...]

# A driver takes and returns Python's values of these.
RAW_FIELDS = {AutoField, BigIntegerField, CharField, IntegerField, TextField}


class NotFast(Exception):  # noqa: N818 - no error: the plain way reads it
    """Light objects might differ from instances."""


def fits(node: Node, model: type[Model]) -> bool:
    """Return whether light objects can stand for instances of the model."""
    return (
        reads_fields_alone(node)
        # Peewee's own ways to make an instance, and to select.
        and model.__init__ is Model.__init__
        and getattr_static(model, "__getattr__", None) is None
        and getattr_static(model, "select") is getattr_static(Model, "select")
    )


def source_of(model: type[Model], name: str) -> Field | None:
    """Return the column of the model's attribute; None if it is no column."""
    accessor = getattr_static(model, name, None)
    is_column = type(accessor) in (FieldAccessor, ObjectIdAccessor)
    return accessor.field if is_column else None


class Light(tuple[Any, ...]):
    """Base of the light objects: a row, with names for its columns."""

    __slots__ = ()


class Plan:
    """Plan to read a model's rows by a schema. Raises NotFast if they do not fit.

    A row has the columns of the schema, and then the key of each relation, in whose
    place the light object has the related ones.
    """

    def __init__(
        self, core: CoreSchema, node: Node, model: type[Model], *above: Node
    ) -> None:
        # A schema that names itself may never end.
        if not fits(node, model) or any(node is other for other in above):
            raise NotFast
        self.model = model
        columns: dict[str, Field] = {}
        relations: dict[str, Related] = {}
        for paths, field in core.fields(node):
            # An alias is where Pydantic looks; the name before it is what we read.
            if len(paths) > 2 or any(len(path) > 1 for path in paths):
                raise NotFast
            name, slot = str(paths[0][0]), str(paths[-1][0])
            if column := source_of(model, name):
                columns[slot] = column
            elif relation := relation_of(model, name):
                inner = core.only_object(field, many=relation.many)
                if inner is None:
                    raise NotFast
                plan = Plan(core, inner, relation.to, node, *above)
                relations[slot] = Related(relation, plan)
            else:
                raise NotFast
        keys = [related.relation.key for related in relations.values()]
        self.fields = [*columns.values(), *keys]
        # By their places in a row.
        self.converted = {n: f for n, f in enumerate(self.fields) if not is_raw(f)}
        self.related = dict(enumerate(relations.values(), len(columns)))
        try:
            named: Any = namedtuple
            names = named("Row", [*columns, *relations])
        except ValueError:  # Not the name of an attribute.
            raise NotFast from None
        light = type(model.__name__, (names, Light), {"__slots__": ()})
        self._make = partial(tuple.__new__, light)

    def rows_of(self, query: Any, *, with_key: bool = False) -> list[Row]:
        """Return the query's rows for `read_rows`; select their columns only.

        With the key, the columns of the primary key are the last.

        Raises NotFast if fewer columns could change its rows.
        """
        if query.model is not self.model or not is_fresh(query):
            raise NotFast
        narrow = self._narrow_with_key if with_key else self._narrow
        database = self.model._meta.database
        return list(database.execute(changed(query, narrow)).fetchall())

    def _narrow(self, query: "ModelSelect[Any]") -> "ModelSelect[Any]":
        if not is_narrowable(query, self.fields):
            raise NotFast
        narrowed: ModelSelect[Any] = query.select(*self.fields)
        return narrowed

    def _narrow_with_key(self, query: "ModelSelect[Any]") -> "ModelSelect[Any]":
        keys = self.model._meta.get_primary_keys()
        return self._narrow(query).select_extend(*keys)

    def read_rows(self, rows: Sequence[Row]) -> list[Any]:
        """Return the objects of rows, which may have more columns after theirs."""
        if rows and (self.converted or self.related):
            columns: list[Iterable[Any]] = list(zip(*rows))  # noqa: B905
            for place, field in self.converted.items():
                columns[place] = map(field.python_value, columns[place])
            for place, related in self.related.items():
                columns[place] = related.of_keys(list(columns[place]))
            rows = list(zip(*columns))  # noqa: B905
        return list(map(self._make, rows))

    def read_instances(self, instances: Sequence[Any]) -> list[Any]:
        """Return objects for these instances, with their loaded relations."""
        if any(type(instance) is not self.model for instance in instances):
            raise NotFast
        columns: list[Iterable[Any]] = [
            [instance.__data__.get(field.name) for instance in instances]
            for field in self.fields
        ]
        for place, related in self.related.items():
            columns[place] = related.of_owners(instances, columns[place])
        return list(map(self._make, zip(*columns)))  # noqa: B905


class Related:
    """Related objects of many owners, by a relation."""

    def __init__(self, relation: Relation, plan: Plan) -> None:
        self.relation = relation
        self._plan = plan
        # Selected once, also as a field.
        places = [n for n, field in enumerate(plan.fields) if field is relation.link]
        self._fields = plan.fields if places else [*plan.fields, relation.link]
        self._link_place = places[0] if places else -1
        self._kept: dict[Hashable, str] = {}

    def of_owners(self, owners: Sequence[Model], keys: Any) -> Iterable[Any]:
        """Return each owner's related objects: those loaded, or by the keys.

        Raises NotFast if only some owners have them loaded.
        """
        loaded = [self.relation.loaded(owner) for owner in owners]
        if loaded.count(None) == len(loaded):
            return self.of_keys(keys)
        if None in loaded:
            raise NotFast
        objects = iter(self._plan.read_instances([*chain(*loaded)]))  # type: ignore[arg-type]
        if not self.relation.many:
            return objects
        return [list(islice(objects, len(items))) for items in loaded]  # type: ignore[arg-type]

    def of_keys(self, keys: Sequence[Any]) -> Iterable[Any]:
        """Return the related objects of the owners' keys.

        Raises NotFast where Peewee, asked for one owner alone, might find another: a
        key that is null, is not found, or is equal to the database only.
        """
        relation = self.relation
        distinct = list(dict.fromkeys(keys))
        if None in distinct:
            if relation.many or not relation.key.null:
                raise NotFast
            distinct.remove(None)
        rows = [row for batch in padded(distinct) for row in self._rows(batch)]
        links = as_python(relation.link, [row[self._link_place] for row in rows])
        objects = self._plan.read_rows(rows)
        if not relation.many:
            one = dict(zip(links, objects, strict=True))
            if not one.keys() >= set(distinct):
                raise NotFast
            return map(one.get, keys)
        of_key: dict[Any, list[Any]] = {key: [] for key in distinct}
        try:
            for link, item in zip(links, objects, strict=True):
                of_key[link].append(item)
        except KeyError:
            raise NotFast from None
        return map(of_key.__getitem__, keys)

    def _rows(self, keys: list[Any]) -> list[Row]:
        """Return the related rows of these keys, with the link among the columns.

        The SQL is kept by the tables' names and the number of keys.
        """
        link, fields = self.relation.link, self._fields
        database = self._plan.model._meta.database
        values = keys if is_raw(link) else list(map(link.db_value, keys))
        name = FEW, len(keys), dialect(link.model), dialect(self._plan.model)
        if name not in self._kept:
            query = few(self.relation.query().where(link.in_(keys)).select(*fields))
            self._kept[name], parameters = database.get_sql_context().parse(query)
            if parameters != values:
                raise NotFast
        rows = list(database.execute_sql(self._kept[name], values).fetchall())
        if len(rows) > FEW:
            query = self.relation.query().where(link.in_(keys))
            check_size(query, fields)
            rows = list(database.execute(query.select(*fields)).fetchall())
        return rows


def is_raw(field: Field) -> bool:
    """Return whether a driver takes and returns Python's values."""
    return type(getattr(field, "rel_field", field)) in RAW_FIELDS


def as_python(field: Field, values: Sequence[Any]) -> Sequence[Any]:
    """Convert the values of a column like Peewee."""
    return values if is_raw(field) else list(map(field.python_value, values))


def padded(keys: list[Any]) -> Iterator[list[Any]]:
    """Split keys into batches for a statement, of few different lengths.

    Each length is a statement of its own, whose SQL is kept.
    """
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        length = min(1 << (len(batch) - 1).bit_length(), BATCH)
        yield batch + batch[-1:] * (length - len(batch))


class FastReader:
    """Reader of light objects, for data that fits; it keeps its plans."""

    def __init__(self, core: CoreSchema) -> None:
        self._core = core
        self._plans: dict[tuple[int, type[Model]], Plan | None] = {}

    def read(self, node: Node, data: Any) -> Any:
        """Return light objects in place of an instance, instances or a query.

        Raises NotFast for any other data.
        """
        if isinstance(data, Model):
            inner = self._core.only_object(node, many=False)
            return self._plan(inner, type(data)).read_instances([data])[0]
        inner = self._core.only_object(node, many=True)
        if isinstance(data, ModelSelect | PreparedQuery):
            plan = self._plan(inner, data.model)
            return plan.read_rows(plan.rows_of(data))
        if type(data) is list and data:
            if isinstance(data[0], Light):
                return data
            if isinstance(data[0], Model):
                return self._plan(inner, type(data[0])).read_instances(data)
        raise NotFast

    def fetch(self, node: Node, query: Any, limit: int) -> tuple[list[Any], Key | None]:
        """Return light objects, and a key, as `Reader.fetch` does."""
        inner = self._core.only_object(node, many=True)
        plan = self._plan(inner, query.model)
        rows = plan.rows_of(query, with_key=True)
        key = None
        if len(rows) > limit > 0:
            keys = plan.model._meta.get_primary_keys()
            values = zip(keys, rows[limit - 1][-len(keys) :], strict=True)
            key = tuple(field.python_value(value) for field, value in values)
        return plan.read_rows(rows[:limit]), key

    def _plan(self, node: Node | None, model: Any) -> Plan:
        if node is None or not isinstance(model, type):  # An alias of a model.
            raise NotFast
        key = id(node), model
        if key not in self._plans:
            self._plans[key] = None
            with suppress(NotFast):
                self._plans[key] = Plan(self._core, node, model)
        if plan := self._plans[key]:
            return plan
        raise NotFast
