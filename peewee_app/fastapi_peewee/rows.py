"""Fast way: Pydantic reads light objects, made of rows, in place of instances.

A light object has only the columns and the relations that its schema names: instances
take four times as long to make. Pydantic reads it like an instance, so the result is
the same. Where it might not be, the plain way reads instances: see `fits`, `column_of`
and `is_narrowable`.
"""

from collections import namedtuple
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from inspect import getattr_static
from operator import itemgetter
from typing import Any

from peewee import (
    SQL,
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

from .core_schemas import Schema
from .keyset import Key
from .peewee_private import is_fresh, is_narrowable
from .prepared import PreparedQuery, changed, dialect
from .relations import Relation, by_key, relation_of

Row = tuple[Any, ...]

# A driver takes and returns Python's values of these.
RAW_FIELDS = {AutoField, BigIntegerField, CharField, IntegerField, TextField}


class NotFast(Exception):  # noqa: N818 - no error: the plain way reads it
    """Light objects might differ from instances."""


def fits(schema: Schema, model: type[Model]) -> bool:
    """Return whether light objects can stand for instances of the model."""
    return (
        schema.reads_fields_alone
        # Peewee's own ways to make an instance, and to select.
        and model.__init__ is Model.__init__
        and getattr_static(model, "__getattr__", None) is None
        and getattr_static(model, "select") is getattr_static(Model, "select")
    )


def column_of(model: type[Model], name: str) -> Field | None:
    """Return the column of the model's attribute; None if it is no column."""
    accessor = getattr_static(model, name, None)
    is_column = type(accessor) in (FieldAccessor, ObjectIdAccessor)
    return accessor.field if is_column else None


def is_raw(field: Field) -> bool:
    """Return whether a driver takes and returns Python's values."""
    return type(getattr(field, "rel_field", field)) in RAW_FIELDS


class Light(tuple[Any, ...]):
    """Base of the light objects: a row, with names for its columns."""

    __slots__ = ()


class Plan:
    """Plan to read a model's rows by a schema. Raises NotFast if they do not fit.

    A row has the columns of the schema, and then the key of each relation, in whose
    place the light object has the related ones.
    """

    def __init__(self, schema: Schema, model: type[Model], *above: Schema) -> None:
        # A schema that names itself may never end.
        if not fits(schema, model) or schema in above:
            raise NotFast
        self.model = model
        columns: dict[str, Field] = {}
        relations: dict[str, Related] = {}
        for slot, paths, inner in schema.fields:
            # An alias is where Pydantic looks; the name before it is what we read.
            name = str(paths[0][0])
            column = column_of(model, name)
            # Looked up in several places, or read by another field in another way.
            if (
                not isinstance(slot, str)
                or slot in relations
                or columns.get(slot, column) is not column
            ):
                raise NotFast
            if column:
                columns[slot] = column
            elif relation := relation_of(model, name):
                related = inner.many if relation.many else inner.one
                if related is None:
                    raise NotFast
                relations[slot] = Related(relation, related, schema, *above)
            else:
                raise NotFast
        keys = [related.relation.key for related in relations.values()]
        self.fields = [*columns.values(), *keys]
        # By their places in a row.
        self._related = dict(enumerate(relations.values(), len(columns)))
        try:
            named: Any = namedtuple
            names = named("Row", [*columns, *relations])
        except ValueError:  # Not the name of an attribute.
            raise NotFast from None
        light = type(model.__name__, (names, Light), {"__slots__": ()})
        self._make = partial(tuple.__new__, light)

    @cached_property
    def _converted(self) -> dict[int, Field]:
        return {n: field for n, field in enumerate(self.fields) if not is_raw(field)}

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

    def read_instances(self, instances: Sequence[Any]) -> list[Any]:
        """Return objects for these instances.

        Raises NotFast if they have loaded relations.
        """
        relations = [related.relation for related in self._related.values()]
        for instance in instances:
            if type(instance) is not self.model:
                raise NotFast
            if any(relation.loaded(instance) is not None for relation in relations):
                raise NotFast
        columns = [[i.__data__.get(f.name) for i in instances] for f in self.fields]
        return self._read(columns)

    def read_rows(self, rows: Sequence[Row]) -> list[Any]:
        """Return the objects of rows, which may have more columns after theirs."""
        if not rows or not (self._converted or self._related):
            return list(map(self._make, rows))
        columns: list[Iterable[Any]] = list(zip(*rows))  # noqa: B905
        for place, field in self._converted.items():
            columns[place] = list(map(field.python_value, columns[place]))
        return self._read(columns)

    def _read(self, columns: list[Any]) -> list[Any]:
        for place, related in self._related.items():
            columns[place] = related.of_keys(columns[place])
        return list(map(self._make, zip(*columns)))  # noqa: B905

    def _narrow(self, query: "ModelSelect[Any]") -> "ModelSelect[Any]":
        if not is_narrowable(query, self.fields):
            raise NotFast
        narrowed: ModelSelect[Any] = query.select(*self.fields)
        return narrowed

    def _narrow_with_key(self, query: "ModelSelect[Any]") -> "ModelSelect[Any]":
        keys = self.model._meta.get_primary_keys()
        return self._narrow(query).select_extend(*keys)


class Related(Plan):
    """Plan to read the related rows of many owners, which have the link as a column."""

    def __init__(self, relation: Relation, schema: Schema, *above: Schema) -> None:
        super().__init__(schema, relation.to, *above)
        self.relation = relation
        # It may be a column of the schema; the keys after these make way for objects.
        columns = self.fields[: len(self.fields) - len(self._related)]
        places = [n for n, field in enumerate(columns) if field is relation.link]
        if not places:
            self.fields.append(relation.link)
        self._link_of = itemgetter(places[0] if places else -1)
        self._kept: dict[Hashable, str] = {}

    def of_keys(self, keys: Sequence[Any]) -> list[Any]:
        """Return the related objects of the owners' keys.

        Raises NotFast for a key that is null or is not found, which Peewee treats in
        ways of its own.
        """
        found = by_key(keys, self._fetch)
        if self.relation.many:
            if None in found:
                raise NotFast
            return found
        if [] in found or (None in found and not self.relation.key.null):
            raise NotFast
        return [objects and objects[0] for objects in found]

    def _fetch(self, keys: list[Any]) -> Iterator[tuple[Any, Any]]:
        found = self.read_rows(self.relation.rows(keys, self._run, self.fields))
        return zip(map(self._link_of, found), found, strict=True)

    def _run(self, keys: list[Any], limit: int | None) -> Sequence[Row]:
        """Return the related rows of these keys.

        The SQL is kept by the limit, the number of keys, and the tables' names.
        """
        link = self.relation.link
        database = self.model._meta.database
        values = keys if is_raw(link) else list(map(link.db_value, keys))
        name = limit, len(keys), dialect(link.model), dialect(self.model)
        if name not in self._kept:
            query = self.relation.query(keys).select(*self.fields)
            query = query.limit(limit and SQL(str(limit)))
            sql, parameters = database.get_sql_context().parse(query)
            if parameters != values:
                raise NotFast
            self._kept[name] = sql
        rows: Sequence[Row] = database.execute_sql(self._kept[name], values).fetchall()
        return rows


class FastReader:
    """Reader of light objects, for data that fits; it keeps its plans."""

    def __init__(self) -> None:
        self._plans: dict[tuple[Schema, type[Model]], Plan | None] = {}

    def read(self, schema: Schema, data: Any) -> Any:
        """Return light objects in place of an instance, instances or a query.

        Raises NotFast for any other data.
        """
        if isinstance(data, Model):
            return self._plan(schema.one, type(data)).read_instances([data])[0]
        if isinstance(data, ModelSelect | PreparedQuery):
            plan = self._plan(schema.many, data.model)
            return plan.read_rows(plan.rows_of(data))
        if type(data) is list and data:
            if isinstance(data[0], Light):
                return data
            if isinstance(data[0], Model):
                return self._plan(schema.many, type(data[0])).read_instances(data)
        raise NotFast

    def fetch(
        self, schema: Schema, query: Any, limit: int
    ) -> tuple[list[Any], Key | None]:
        """Return light objects, and a key, as `Reader.fetch` does."""
        plan = self._plan(schema.many, query.model)
        rows = plan.rows_of(query, with_key=True)
        key = None
        if len(rows) > limit > 0:
            keys = plan.model._meta.get_primary_keys()
            values = zip(keys, rows[limit - 1][-len(keys) :], strict=True)
            key = tuple(field.python_value(value) for field, value in values)
        return plan.read_rows(rows[:limit]), key

    def _plan(self, schema: Schema | None, model: Any) -> Plan:
        if schema is None or not isinstance(model, type):  # An alias of a model.
            raise NotFast
        key = schema, model
        if key not in self._plans:
            self._plans[key] = None
            with suppress(NotFast):
                self._plans[key] = Plan(schema, model)
        if plan := self._plans[key]:
            return plan
        raise NotFast
