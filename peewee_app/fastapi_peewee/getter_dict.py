"""Pydantic schemas that read Peewee objects of every kind.

Pydantic 1 let a schema name a GetterDict class for this; Pydantic 2 has
`from_attributes`, which reads the attributes that the schema names. But a relation
costs it a query for each object, and a backref has no order. Here the relations that
the schema names are loaded first: a query for all objects of a level, in the order of
the primary key. Then Pydantic reads the same objects.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from peewee import BaseQuery, Model, PeeweeException
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema as PydanticSchema

from .core_schemas import CoreSchema, Path, Schema, rename_inside
from .keyset import Key
from .relations import Known, Relation, relation_of
from .rows import FastReader, NotFast
from .scope import NoConnectionError

T = TypeVar("T")

# Levels of objects that Pydantic reads, one inside the other.
DEPTH = 255


class PeeweeGetterDict(BaseModel):
    """Base of the schemas that are read from Peewee objects.

    `read`, `model_validate` and PeeweeRoute load what the schema names. They leave
    other columns out where that cannot change the rows: not if the query has a
    DISTINCT, a GROUP BY, a join or a computed column, nor of instances.

    An `alias` is for the JSON: the attribute has the name of the field. Where the two
    differ, a `validation_alias` names the attribute.
    """

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Any:
        """Validate as Pydantic does; load a Peewee object's relations first."""
        if isinstance(obj, Model):
            return reader(cls).read(obj, **options)
        return super().model_validate(obj, **options)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> PydanticSchema:
        schema = handler(source)
        rename_inside(handler.resolve_ref_schema(schema), cls)
        return schema


def read(annotation: type[T], data: Any) -> T:
    """Validate data by the annotation, and return the result.

    The data may be Peewee objects, queries for them, and lists, dicts, generators or
    other objects with them inside. A query runs as it is, once.

    Raises ValidationError, RecursionError for a row that is its own ancestor, and
    PydanticUserError for an annotation with an undefined name.
    """
    value: T = reader(annotation).read(data)
    return value


def reader(annotation: Any) -> "Reader":
    """Return the reader of the annotation, which is kept."""
    try:
        return _kept_reader(annotation)
    except TypeError:  # It cannot be a key.
        return Reader(annotation)


class Reader:
    """Reader of objects by an annotation."""

    def __init__(self, annotation: Any) -> None:
        self._core = CoreSchema(annotation)
        self._fast = FastReader()
        self.adapter = self._core.adapter
        # True if it may take more statements than a list's SELECT.
        self.may_read_more = self._core.root.is_nested

    def fetch(self, query: Any, limit: int) -> tuple[list[Any], Key | None]:
        """Return the first `limit` rows of a query, as `read` takes them.

        If the query has more rows, also return the primary key of the last of these.
        """
        with suppress(NotFast):
            return self._fast.fetch(self._core.root, query, limit)
        rows = list(query)
        if not len(rows) > limit > 0:
            return rows[:limit], None
        last = rows[limit - 1]
        keys = query.model._meta.get_primary_keys()
        if isinstance(last, dict):
            return rows[:limit], tuple(last[key.name] for key in keys)
        return rows[:limit], tuple(getattr(last, key.safe_name) for key in keys)

    def read(self, data: Any, **options: Any) -> Any:
        """Validate the data, and return the result; options are Pydantic's."""
        loading = Loading(self._fast)
        try:
            loaded = loading.load(self._core.root, data)
            return self.adapter.validate_python(
                loaded, **{"from_attributes": True, **options}
            )
        except ValidationError as exc:
            for error in exc.errors(include_url=False):
                if reason := why_endless(error):
                    raise RecursionError(reason) from None
                if error["type"] == "get_attribute_error":
                    raise_database_error(error["input"], self._core.names())
            raise
        finally:
            loading.undo()


class Loading:
    """Loading of the relations that a schema names, by level."""

    def __init__(self, fast: FastReader) -> None:
        self._fast = fast
        self._known: Known = {}
        # Objects to read at the next level, by schema.
        self._level: dict[Schema, list[Model]] = defaultdict(list)
        self._seen: set[tuple[Schema, int]] = set()
        self._put: list[tuple[Model, str]] = []

    def load(self, schema: Schema, data: Any) -> Any:
        """Return the data, with queries run and the schema's relations loaded."""
        data = self._walk(schema, data)
        depth = 0
        while self._level and depth < DEPTH:
            level, self._level = self._level, defaultdict(list)
            for found, instances in level.items():
                for _, paths, field in found.fields:
                    for path in paths:
                        self._follow(path, instances, field)
            depth += 1
        return data

    def undo(self) -> None:
        """Remove loaded rows where another query would find them."""
        for instance, name in self._put:
            vars(instance).pop(name, None)

    def _walk(self, schema: Schema, data: Any, *, replace: bool = True) -> Any:
        """Find the Peewee objects in the data.

        Returns the data with its queries run and, where `replace` lets it, with light
        objects and lists in place of instances and generators.
        """
        if replace:
            with suppress(NotFast):
                return self._fast.read(schema, data)
        if isinstance(data, Model):
            self._expect(schema.objects, [data])
        elif isinstance(data, dict):
            # In a union, another schema may read them.
            replace = replace and type(data) is dict and len(schema.found) == 1
            found = {
                key: self._walk(
                    schema.keys.get(key, schema.items), item, replace=replace
                )
                for key, item in data.items()
            }
            return found if replace else data
        elif isinstance(data, BaseQuery | Iterator | list | tuple | set | frozenset):
            if schema.items.found and (replace or not isinstance(data, Iterator)):
                return self._walk_items(schema.items, data, replace=replace)
        elif not any(isinstance(data, found.cls) for found in schema.objects):
            for name, field in schema.keys.items():
                self._walk(field, value_of(data, name), replace=False)
        return data

    def _walk_items(self, schema: Schema, data: Iterable[Any], *, replace: bool) -> Any:
        is_tuple = type(data) is tuple
        replace = replace and (is_tuple or isinstance(data, list | Iterator))
        items = list(data)
        # Those of a list take their statements together.
        self._expect(schema.objects, [i for i in items if isinstance(i, Model)])
        for place, item in enumerate(items):
            if not isinstance(item, Model):
                items[place] = self._walk(schema, item, replace=replace)
        if not replace:
            return data
        return tuple(items) if is_tuple else items

    def _expect(self, schemas: list[Schema], instances: Iterable[Model]) -> None:
        """Have the schemas' relations loaded at the next level."""
        for schema in schemas:
            for instance in instances:
                mark = schema, id(instance)
                if mark not in self._seen:
                    self._seen.add(mark)
                    self._level[schema].append(instance)

    def _follow(self, path: Path, instances: list[Model], field: Schema) -> None:
        """Load the relations on the path; expect its last to be read."""
        for name in path:
            if isinstance(name, str):
                last = field if len(path) == 1 else None
                instances = list(self._related(name, instances, last))
        self._expect(field.objects + field.items.objects, instances)

    def _related(
        self, name: str, instances: list[Model], field: Schema | None
    ) -> Iterator[Model]:
        """Load related objects; yield these, and those that were loaded before."""
        for group in by_model(instances):
            relation = relation_of(type(group[0]), name)
            if relation is None:
                values = [vars(instance).get(name) for instance in group]
            elif field and reads_query(field, relation):
                continue
            else:
                missing = [i for i in group if relation.loaded(i) is None]
                relation.load(missing, self._known)
                self._put += [(owner, relation.attribute) for owner in missing]
                values = [relation.loaded(instance) for instance in group]
            for value in values:
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, Model):
                        yield item


def reads_query(field: Schema, relation: Relation) -> bool:
    """Return whether the field needs no rows, but the relation's query."""
    # Of loaded links Peewee makes a list, and else a query.
    is_changed = relation.loads_lists and field.has_function_before
    return is_changed or (relation.many and not field.found)


def why_endless(error: Any) -> str | None:
    """Return the reason for endless nesting; None for another error."""
    if error["type"] == "recursion_loop" and isinstance(row := error["input"], Model):
        field = next(name for name in reversed(error["loc"]) if isinstance(name, str))
        return f"{type(row).__name__} {row.get_id()} is its own ancestor, by {field!r}"
    if error["type"] == "recursion_depth_exceeded":
        return f"objects are nested deeper than the {DEPTH} levels that Pydantic reads"
    return None


def raise_database_error(data: Any, names: set[str]) -> None:
    """Read the attributes again after Pydantic could not read one.

    Raises the database's error that was the reason. Pydantic has made a text of it,
    which may have SQL and values.
    """
    for name in names:
        try:
            getattr(data, name)
        except (PeeweeException, NoConnectionError):
            raise
        except Exception:  # noqa: S112 - Pydantic has told it
            continue


def by_model(instances: Iterable[Model]) -> Iterable[list[Model]]:
    """Group the instances by their model."""
    groups: dict[type[Model], list[Model]] = defaultdict(list)
    for instance in instances:
        groups[type(instance)].append(instance)
    return groups.values()


def value_of(data: Any, name: Any) -> Any:
    """Return the attribute of an object, without running a property."""
    if name in getattr(data, "__dict__", ()):
        return vars(data)[name]
    return getattr(data, name, None) if dataclasses.is_dataclass(data) else None


_kept_reader = cache(Reader)
