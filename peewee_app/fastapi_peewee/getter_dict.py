"""Pydantic schemas that read Peewee objects of every kind.

Pydantic 1 let a schema name a GetterDict class for this; Pydantic 2 has
`from_attributes`, which reads the attributes that the schema names. But a relation
costs it a query for each object, and a backref has no order. Here the relations that
the schema names are loaded first: a query for all objects of a level, in the order of
the primary key. Then Pydantic reads the same objects.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from peewee import BaseQuery, Model, PeeweeException
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema as PydanticSchema

from .core_schemas import (
    DICTS,
    LISTS,
    OBJECTS,
    CoreSchema,
    Node,
    Path,
    plain_aliases,
    rename_inside,
)
from .keyset import Key
from .relations import Known, relation_of
from .rows import FastReader, NotFast
from .scope import NoConnectionError

T = TypeVar("T")


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
        if plain_aliases(cls):
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
        if annotation not in _readers:
            _readers[annotation] = Reader(annotation)
        return _readers[annotation]
    except TypeError:  # It cannot be a key.
        return Reader(annotation)


class Reader:
    """Reader of objects by an annotation."""

    def __init__(self, annotation: Any) -> None:
        self._core = CoreSchema(annotation)
        self._fast = FastReader(self._core)
        self.adapter = self._core.adapter
        # True if it may take more statements than a list's SELECT.
        self.may_read_more = self._core.is_nested()

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
        loading = Loading(self._core, self._fast)
        try:
            loaded = loading.load(data)
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

    def __init__(self, core: CoreSchema, fast: FastReader) -> None:
        self._core = core
        self._fast = fast
        self._known: Known = {}
        # Objects to read at the next level, by schema.
        self._level: dict[int, tuple[Node, list[Model]]] = {}
        self._seen: set[tuple[int, int]] = set()
        self._put: list[tuple[Model, str]] = []

    def load(self, data: Any) -> Any:
        """Return the data, with queries run and the schema's relations loaded."""
        data = self._walk([self._core.root], data)
        while self._level:
            level, self._level = self._level, {}
            for node, instances in level.values():
                for group in by_model(instances):
                    self._load_fields(node, group)
        return data

    def undo(self) -> None:
        """Remove loaded rows where another query would find them."""
        for instance, name in self._put:
            vars(instance).pop(name, None)

    def _walk(self, schemas: list[Node], data: Any, *, replace: bool = True) -> Any:
        """Find the Peewee objects in the data, which is read by one of the schemas.

        Returns the data with its queries run and, where `replace` lets it, with light
        objects and lists in place of instances and generators.
        """
        if replace and len(schemas) == 1:
            with suppress(NotFast):
                return self._fast.read(schemas[0], data)
        nodes = [node for schema in schemas for node in self._core.nodes(schema)]
        objects = [node for node in nodes if node["type"] in OBJECTS]
        if isinstance(data, Model):
            self._expect(objects, [data])
        elif isinstance(data, Mapping):
            return self._walk_mapping(nodes, data)
        elif isinstance(data, BaseQuery | Iterator | list | tuple | set | frozenset):
            lists = [node for node in nodes if node["type"] in LISTS]
            items = [item for node in lists for item in self._core.items(node)]
            if any(map(self._core.nodes, items)) and (
                replace or not isinstance(data, Iterator)
            ):
                return self._walk_items(items, data)
        else:
            self._walk_attributes(objects, data)
        return data

    def _walk_items(self, schemas: list[Node], data: Iterable[Any]) -> Any:
        items = list(data)
        instances = [item for item in items if isinstance(item, Model)]
        nodes = [node for schema in schemas for node in self._core.nodes(schema)]
        self._expect([n for n in nodes if n["type"] in OBJECTS], instances)
        if len(instances) < len(items):
            items = [self._walk(schemas, item) for item in items]
        if type(data) in (tuple, set, frozenset):
            return type(data)(items)  # type: ignore[call-arg]
        return items if isinstance(data, list | Iterator) else data

    def _walk_mapping(self, nodes: list[Node], data: Mapping[Any, Any]) -> Any:
        found = dict(data)
        for node in nodes:
            if node["type"] in DICTS:
                for key, value in found.items():
                    found[key] = self._walk(self._core.items(node), value)
            elif node["type"] in OBJECTS:
                for key, schema in self._keys(node):
                    if key in found:
                        found[key] = self._walk([schema], found[key])
        return found if type(data) is dict else data

    def _walk_attributes(self, objects: list[Node], data: Any) -> None:
        for node in objects:
            if not isinstance(data, node.get("cls", ())):
                for name, schema in self._keys(node):
                    self._walk([schema], value_of(data, name), replace=False)

    def _keys(self, node: Node) -> Iterator[tuple[Any, Node]]:
        """Yield the keys of an object's fields, and their schemas."""
        for paths, schema in self._core.fields(node):
            for path in paths:
                if len(path) == 1:
                    yield path[0], schema

    def _expect(self, nodes: list[Node], instances: list[Model]) -> None:
        """Have the nodes' relations loaded at the next level."""
        for node in nodes:
            _, level = self._level.setdefault(id(node), (node, []))
            for instance in instances:
                mark = id(node), id(instance)
                if mark not in self._seen:
                    self._seen.add(mark)
                    level.append(instance)

    def _load_fields(self, node: Node, instances: list[Model]) -> None:
        for paths, field in self._core.fields(node):
            for path in paths:
                self._follow(path, instances, field)

    def _follow(self, path: Path, instances: list[Model], field: Node) -> None:
        """Load the relations on the path; expect its last to be read."""
        found = instances
        is_path = len(path) > 1
        reads_list = is_path or bool(self._core.nodes(field))
        takes_query = not is_path and self._core.has_function_before(field)
        for name in path:
            if isinstance(name, str):
                groups = list(by_model(found))
                found = [
                    value
                    for group in groups
                    for value in self._related(name, group, reads_list, takes_query)
                ]
        self._expect(self._core.objects(field), found)

    def _related(
        self, name: str, instances: list[Model], reads_list: bool, takes_query: bool
    ) -> Iterator[Model]:
        """Load related objects; yield these, and those that were loaded before."""
        relation = relation_of(type(instances[0]), name)
        if relation is None:
            values = [vars(instance).get(name) for instance in instances]
        elif relation.many and not reads_list:
            return
        elif relation.loads_lists and takes_query:
            return  # Peewee gives the list that is loaded, and else a query.
        else:
            missing = [i for i in instances if relation.loaded(i) is None]
            put = relation.load(missing, self._known)
            self._put += put if relation.many else []
            values = [relation.loaded(instance) for instance in instances]
        for value in values:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Model):
                    yield item


def why_endless(error: Any) -> str | None:
    """Return the reason for endless nesting; None for another error."""
    if error["type"] == "recursion_loop" and isinstance(row := error["input"], Model):
        field = next(name for name in reversed(error["loc"]) if isinstance(name, str))
        return f"{type(row).__name__} {row.get_id()} is its own ancestor, by {field!r}"
    if error["type"] == "recursion_depth_exceeded":
        return "objects are nested deeper than the 255 levels that Pydantic reads"
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


_readers: dict[Any, Reader] = {}
