"""Pydantic schemas that read Peewee objects of every kind.

Pydantic 1 let a schema name a GetterDict class for this. What is read is what the
schema names: a column by the name of its field, a foreign key by its raw name
(`owner_id`), a related object, and a backref or a many-to-many as a list.

Pydantic's own `from_attributes` reads a backref, too, but with a query for each object
and in no order. Here it is one query for all objects of a page, at any depth.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, get_args

from peewee import (
    AutoField,
    BackrefAccessor,
    BaseQuery,
    BigIntegerField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    ManyToManyField,
    Model,
    ModelSelect,
    TextField,
)
from pydantic import BaseModel, model_validator

from .peewee_private import is_plain
from .prepared import Change, PreparedQuery, prepared

Row = tuple[Any, ...]
Object = dict[str, Any]
# Runs what a change, which the key names, makes of a query; returns its rows.
RowsOf = Callable[[Hashable, Change], list[Row]]

# What a driver returns of these is what Peewee makes of it.
RAW_FIELDS = {AutoField, BigIntegerField, CharField, IntegerField, TextField}


class PeeweeGetterDict(BaseModel):
    """Base of the schemas that are read from Peewee objects."""

    @model_validator(mode="before")
    @classmethod
    def getter_dict(cls, data: Any) -> Any:
        """Turn a model instance into a dict of the fields that the schema names."""
        return read(cls, data) if isinstance(data, Model) else data


def read(annotation: Any, data: Any) -> Any:
    """What Pydantic can validate as the annotation: dicts in place of Peewee objects.

    An instance becomes a dict, and a query, or a list of instances, a list of dicts. It
    takes one query for each relation that the schema names. The rows of a query come
    from the driver, with no more columns than the schema names, and no instance is made
    unless the schema names what only an instance has. Any other data stays as it is.
    """
    schema = schema_in(annotation)
    if schema is None:
        return data
    if isinstance(data, Model):
        return reader(schema, type(data)).read_instances([data])[0]
    if isinstance(data, PreparedQuery | ModelSelect) and is_plain(data):
        reads = reader(schema, data.model)
        if not reads.attributes:
            return reads.read_rows(rows_of(data))[0]
    if isinstance(data, BaseQuery):
        data = list(data)
    if isinstance(data, list) and data and isinstance(data[0], Model):
        return reader(schema, type(data[0])).read_instances(data)
    return data


def schema_in(annotation: Any) -> type[PeeweeGetterDict] | None:
    """The schema for Peewee objects in an annotation such as `list[Item] | None`."""
    if inspect.isclass(annotation) and issubclass(annotation, PeeweeGetterDict):
        return annotation
    return next(filter(None, map(schema_in, get_args(annotation))), None)


def has_relations(annotation: Any) -> bool:
    """Whether the schema in the annotation names another: a query more, or several."""
    schema = schema_in(annotation)
    fields = schema.model_fields.values() if schema else ()
    return any(schema_in(info.annotation) for info in fields)


def rows_of(query: "PreparedQuery[Any] | ModelSelect[Any]") -> RowsOf:
    """What runs the query, and others made of it."""
    if isinstance(query, PreparedQuery):
        return query.rows
    database = query.model._meta.database
    return lambda _key, change: list(database.execute(change(query)).fetchall())


def reader(schema: type[PeeweeGetterDict], model: type[Model]) -> "Reader":
    """How the schema reads the objects of the model; worked out once."""
    pair = schema, model
    if pair not in _readers:
        _readers[pair] = Reader(schema, model)
    return _readers[pair]


class Reader:
    """How a schema reads the objects of a model."""

    def __init__(self, schema: type[PeeweeGetterDict], model: type[Model]) -> None:
        meta = model._meta
        names = meta.combined | {key.object_id_name: key for key in meta.refs}
        self.columns: dict[str, Field] = {}
        self.relations: list[Relation] = []
        # What is neither, and only an instance has: a property, for example.
        self.attributes: list[str] = []
        for name, info in schema.model_fields.items():
            related = schema_in(info.annotation)
            if related and (relation := relation_of(model, name, related)):
                self.relations.append(relation)
            elif name in names:
                self.columns[name] = names[name]
            else:
                self.attributes.append(name)
        keys = [relation.key for relation in self.relations]
        self._fields = [*self.columns.values(), *keys]
        self._makers: dict[int, Callable[[list[Row]], list[Object]]] = {}

    def read_rows(
        self,
        rows_of: RowsOf,
        change: Change = lambda query: query,
        path: tuple[Hashable, ...] = (),
        link: Field | None = None,
    ) -> tuple[list[Object], list[Any]]:
        """The objects that the query has after the change, which the path names.

        With them, the value of `link` of each.
        """
        # Each is selected once, whatever it serves for.
        fields = dict.fromkeys([*self._fields, *([link] if link else [])])
        places = {field: place for place, field in enumerate(fields)}
        rows = rows_of((self, path), lambda query: change(query).select(*fields))
        if len(fields) not in self._makers:
            self._makers[len(fields)] = maker_of_dicts(self.columns, places)
        objects = self._makers[len(fields)](rows)
        for relation in self.relations if rows else ():
            keys = [row[places[relation.key]] for row in rows]
            relation.attach(objects, keys, *relation.read(rows_of, change, path))
        return objects, [row[places[link]] for row in rows] if link else []

    def read_instances(self, instances: Sequence[Model]) -> list[Object]:
        """The objects that these instances, of the reader's model, are."""
        names = {name: attribute(field) for name, field in self.columns.items()}
        names |= {name: name for name in self.attributes}
        objects = [
            {name: getattr(instance, source) for name, source in names.items()}
            for instance in instances
        ]
        for relation in self.relations:
            if not relation.attach_loaded(objects, instances):
                key = attribute(relation.key)
                keys = [getattr(instance, key) for instance in instances]
                relation.attach(objects, keys, *relation.read_keys(keys))
        return objects


class Relation:
    """Objects of another model that belong to those of a page.

    `query` selects the related ones. They are those whose `link` is the `key` of an
    object of the page.
    """

    def __init__(
        self,
        name: str,
        schema: type[PeeweeGetterDict],
        query: "ModelSelect[Any]",
        link: Field,
        key: Field,
        *,
        many: bool = True,
    ) -> None:
        self.key = key
        self._name = name
        self._schema = schema
        self._query = query.order_by(link, *query.model._meta.get_primary_keys())
        self._link = link
        self._many = many
        self._of_keys = prepared(self._with_keys)

    def read(
        self, rows_of: RowsOf, change: Change, path: tuple[Hashable, ...]
    ) -> tuple[list[Object], list[Any]]:
        """The related objects of a page, and their links; the page is a query."""

        def related(query: "ModelSelect[Any]") -> "ModelSelect[Any]":
            # Once more around the page: MySQL takes no LIMIT in the subquery of an IN.
            page = change(query).select(self.key.alias("key"))
            return self._query.where(self._link.in_(page.select_from(page.c.key)))

        reads = reader(self._schema, self._query.model)
        return reads.read_rows(rows_of, related, (*path, self), self._link)

    def read_keys(self, keys: Sequence[Any]) -> tuple[list[Object], list[Any]]:
        """The related objects of those that have these keys, and their links."""
        distinct = list(dict.fromkeys(key for key in keys if key is not None))
        # A statement for every length would be too many to keep.
        if len(distinct) == 1:
            rows: RowsOf = partial(self._of_keys.rows, {"keys": distinct})
        else:
            rows = rows_of(self._with_keys(distinct))
        reads = reader(self._schema, self._query.model)
        return reads.read_rows(rows, link=self._link)

    def attach(
        self,
        objects: list[Object],
        keys: Sequence[Any],
        related: list[Object],
        links: list[Any],
    ) -> None:
        """Give the objects, which have these keys, the related ones by their links."""
        if not self._many:
            one = dict(zip(links, related, strict=True))
            for item, key in zip(objects, keys, strict=True):
                item[self._name] = one.get(key)
            return
        lists = defaultdict(list)
        for link, item in zip(links, related, strict=True):
            lists[link].append(item)
        for item, key in zip(objects, keys, strict=True):
            item[self._name] = lists[key]

    def attach_loaded(self, objects: list[Object], instances: Sequence[Model]) -> bool:
        """Give the objects what Peewee has loaded with their instances.

        Returns False, and does nothing, if it has not for all of them.
        """
        if self._many:
            loaded = [vars(instance).get(self._name) for instance in instances]
            if None in loaded:
                return False
        else:
            if not all(self._name in instance.__rel__ for instance in instances):
                return False
            loaded = [instance.__rel__[self._name] for instance in instances]
        for item, value in zip(objects, loaded, strict=True):
            item[self._name] = read(self._schema, value)
        return True

    def _with_keys(self, keys: list[Any]) -> "ModelSelect[Any]":
        return self._query.where(self._link.in_(keys))


def relation_of(
    model: type[Model], name: str, schema: type[PeeweeGetterDict]
) -> Relation | None:
    """The relation that the attribute of the model is; None for any other attribute."""
    source = getattr(model, name, None)
    if isinstance(source, ForeignKeyField):
        to = source.rel_field
        return Relation(name, schema, to.model.select(), to, source, many=False)
    if isinstance(source, BackrefAccessor):
        key = source.field
        return Relation(name, schema, key.model.select(), key, key.rel_field)
    if isinstance(source, ManyToManyField):
        through = source.get_through_model()
        (to,) = through._meta.model_refs[source.rel_model]
        (back,) = through._meta.model_refs[model]
        query = source.rel_model.select().join(through, on=(to == to.rel_field))
        return Relation(name, schema, query, back, back.rel_field)
    return None


def attribute(field: Field) -> str:
    """The name under which an instance has the value of the column."""
    return str(getattr(field, "object_id_name", field.name))


def maker_of_dicts(
    columns: dict[str, Field], places: dict[Field, int]
) -> Callable[[list[Row]], list[Object]]:
    """A function that makes dicts of rows, in which each field has its place.

    It is written out for the columns, as the standard library does for a named tuple: a
    loop over the names would take three times as long.
    """
    converters: dict[str, Any] = {}
    items = []
    for name, field in columns.items():
        value = f"v{places[field]}"
        if type(getattr(field, "rel_field", field)) not in RAW_FIELDS:
            converters[f"to_{value}"] = field.python_value
            value = f"to_{value}({value})"
        items.append(f"{name!r}: {value}")
    values = "".join(f"v{place}, " for place in places.values())
    make: Callable[[list[Row]], list[Object]] = eval(  # noqa: S307 - names of fields
        f"lambda rows: [{{{', '.join(items)}}} for {values}in rows]", converters
    )
    return make


_readers: dict[Any, Reader] = {}
