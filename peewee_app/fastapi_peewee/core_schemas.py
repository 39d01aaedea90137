"""Objects that a Pydantic schema names, as its core schema has them.

Pydantic makes a core schema of an annotation: every forward reference, generic and
alias in it is resolved.
"""

from functools import cached_property, partial
from typing import Any

from peewee import Model
from pydantic import BaseModel, TypeAdapter
from pydantic_core import core_schema

Node = dict[str, Any]
# Path to a field: names of attributes, and places in lists.
Path = tuple[str | int, ...]

OBJECTS = {"model", "dataclass", "typed-dict"}
LISTS = {"list", "set", "frozenset", "tuple", "deque", "generator"}
DICTS = {"dict", "ordered-dict", "frozen-dict"}
# Nodes with an object's fields, below its validators.
FIELDS = {"model-fields", "dataclass-args", "typed-dict"}
FUNCTIONS_BEFORE = {"function-before", "function-wrap", "function-plain"}
# Nodes that hand the value on as it is.
HANDING_ON = {"definition-ref", "definitions", "nullable", "default", "function-after"}
# Keys of the node that gets the same value, before any other.
SAME_VALUE = ("schema", "lax_schema", "python_schema")


class CoreSchema:
    """Core schema of an annotation. `root` is the schema of the whole value.

    Raises PydanticUserError if the annotation has an undefined name.
    """

    def __init__(self, annotation: Any) -> None:
        self.adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        root: Node = dict(self.adapter.core_schema)
        self.definitions = {node["ref"]: node for node in root.get("definitions", ())}
        self._schemas: dict[int, Schema] = {}
        self.root = self.schema(root)

    def schema(self, node: Node) -> "Schema":
        """Return the schema of the node, which is kept."""
        if id(node) not in self._schemas:
            self._schemas[id(node)] = Schema(self, node)
        return self._schemas[id(node)]

    def names(self) -> set[str]:
        """Return the names by which the fields of all objects are looked up."""
        objects = {found for s in list(self._schemas.values()) for found in s.objects}
        return {str(p[0]) for o in objects for _, ps, _ in o.fields for p in ps}


class Schema:
    """Schema of a value: a node of the core schema."""

    def __init__(self, core: CoreSchema, node: Node) -> None:
        self._core = core
        self.node = node
        self.kind: str = node["type"]
        # Its instances are read as they are.
        self.cls: Any = node.get("cls", ())

    @cached_property
    def found(self) -> "list[Schema]":
        """Objects, lists and dicts that the value may be."""
        is_object = self.kind in OBJECTS and not self.node.get("root_model")
        if is_object or self.kind in LISTS | DICTS:
            return [self]
        return [found for inner in self._inner for found in inner.found]

    @cached_property
    def objects(self) -> "list[Schema]":
        """Objects that the value may be."""
        return [found for found in self.found if found.kind in OBJECTS]

    @cached_property
    def items(self) -> "Schema":
        """Any item of the lists and dicts that the value may be."""
        items: list[Node] = []
        for found in self.found:
            node = found.node
            inner = node.get("items_schema") or node.get("values_schema") or []
            items += inner if isinstance(inner, list) else [inner]
        any_of = {"type": "union", "choices": items}
        return Schema(self._core, any_of) if len(items) != 1 else self._of(*items)

    @cached_property
    def fields(self) -> "list[tuple[Any, list[Path], Schema]]":
        """Alias of each field to validate by, its paths, and its schema."""
        node, aliases = self.node, dict[str, str]()
        while node["type"] not in FIELDS:
            node = node["schema"]
            aliases |= renaming(node)
        fields = node["fields"]
        # Those of a dataclass are a list.
        named = fields if isinstance(fields, dict) else {f["name"]: f for f in fields}
        found = []
        for name, field in named.items():
            alias = field.get("validation_alias", name)
            found.append(
                (alias, paths(name, alias, aliases), self._of(field["schema"]))
            )
        return found

    @cached_property
    def keys(self) -> "dict[Any, Schema]":
        """Fields of the objects that the value may be, by their attributes or keys."""
        fields = [field for found in self.objects for field in found.fields]
        return {p[0]: inner for _, ps, inner in fields for p in ps if len(p) == 1}

    @cached_property
    def one(self) -> "Schema | None":
        """Object that the value is, if it cannot be any other."""
        return self.first if self.first.kind == "model" else None

    @cached_property
    def many(self) -> "Schema | None":
        """Object that the value is a list of, if it cannot be of any other."""
        is_list = self.first.kind == "list" and not self.first.node.get("strict")
        return self.first.items.one if is_list else None

    @property
    def has_function_before(self) -> bool:
        """Whether a function gets the value before it is read as another."""
        return self.first.kind in FUNCTIONS_BEFORE

    @property
    def is_nested(self) -> bool:
        """Whether it is more than a flat object, or a list of flat objects."""
        found = [s for s in self.found if s.kind not in LISTS] + self.items.found
        return any(
            schema.kind not in OBJECTS
            or any(inner.found for *_, inner in schema.fields)
            for schema in found
        )

    @property
    def reads_fields_alone(self) -> bool:
        """Whether the model reads only its fields."""
        config = self.node.get("config", {})
        inner = self.node["schema"]
        if renaming(inner):
            inner = inner["schema"]
        return (
            # No validator takes the object itself.
            inner["type"] == "model-fields"
            and config.get("extra_fields_behavior", "ignore") == "ignore"
            # No type is checked strictly.
            and not config.get("strict")
        )

    @cached_property
    def first(self) -> "Schema":
        """Schema that gets the value first, but for those that hand it on."""
        return self._inner[0].first if self.kind in HANDING_ON else self

    @property
    def _inner(self) -> "list[Schema]":
        """Schemas inside that may get the same value."""
        node = self.node
        if self.kind == "definition-ref":
            return [self._of(self._core.definitions[node["schema_ref"]])]
        choices = node.get("choices", ())
        if isinstance(choices, dict):
            choices = choices.values()
        nodes = [
            choice[0] if isinstance(choice, tuple) else choice for choice in choices
        ]
        nodes += node.get("steps", ())
        nodes += [node[key] for key in SAME_VALUE if key in node]
        return list(map(self._of, nodes))

    def _of(self, node: Node) -> "Schema":
        return self._core.schema(node)


class Renamed:
    """A Peewee object, as a schema with aliases reads it."""

    def __init__(self, names: dict[str, str], instance: Model) -> None:
        self._names = names
        self._instance = instance

    def __getattr__(self, alias: str) -> Any:
        try:
            return getattr(self._instance, self._names.get(alias, alias))
        except AttributeError:
            return getattr(self._instance, alias)


def renamed(names: dict[str, str], data: Any) -> Any:
    """Wrap a Peewee object for a schema that has aliases."""
    return Renamed(names, data) if isinstance(data, Model) else data


def rename_inside(node: Any, schema: type[BaseModel]) -> None:
    """Have the fields of a schema with aliases read from a Renamed.

    All validators of the schema still get the Peewee object itself.
    """
    names = plain_aliases(schema)
    while node["schema"]["type"] != "model-fields":
        node = node["schema"]
    if names and not renaming(node):
        node["schema"] = core_schema.no_info_before_validator_function(
            partial(renamed, names), node["schema"]
        )


def renaming(node: Node) -> dict[str, str]:
    """Return the names by alias, if `rename_inside` has put the node there."""
    function = node.get("function", {}).get("function")
    is_ours = isinstance(function, partial) and function.func is renamed
    return function.args[0] if is_ours else {}


def plain_aliases(schema: type[BaseModel]) -> dict[str, str]:
    """Map the aliases that a schema has for its JSON to the names of their fields.

    A `validation_alias` is not among them: it names the attribute to read.
    """
    fields = schema.__pydantic_fields__.items()
    plain = {n: i.alias for n, i in fields if i.alias and i.alias == i.validation_alias}
    # A name that another field is read by is not for the JSON alone.
    others = [
        info.validation_alias or name for name, info in fields if name not in plain
    ]
    return {alias: name for name, alias in plain.items() if alias not in others}


def paths(name: str, alias: Any, aliases: dict[str, str]) -> list[Path]:
    """List where Pydantic, or the getter dict, looks a field up in an object."""
    if isinstance(alias, str):
        return [(name,), (alias,)] if alias in aliases else [(alias,)]
    choices = alias if alias and isinstance(alias[0], list) else [alias]
    return [tuple(choice) for choice in choices]
