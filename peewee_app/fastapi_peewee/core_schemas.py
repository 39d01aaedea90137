"""Objects that a Pydantic schema names, as its core schema has them.

Pydantic makes a core schema of an annotation: every forward reference, generic and
alias in it is resolved.
"""

from collections.abc import Iterator
from functools import partial
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
# Keys of the schema that gets the same value, before any other.
SAME_VALUE = ("schema", "lax_schema", "python_schema")


class CoreSchema:
    """Core schema of an annotation. `root` is its outermost node.

    Raises PydanticUserError if the annotation has an undefined name.
    """

    def __init__(self, annotation: Any) -> None:
        self.adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        self.root: Node = dict(self.adapter.core_schema)
        definitions = self.root.get("definitions", ())
        self._definitions = {node["ref"]: node for node in definitions}
        self._nodes: dict[int, list[Node]] = {}
        self._fields: dict[int, list[tuple[list[Path], Node]]] = {}

    def nodes(self, node: Node) -> list[Node]:
        """List the objects, lists and dicts that a value of the node may be."""
        if id(node) not in self._nodes:
            self._nodes[id(node)] = list(self._find(node))
        return self._nodes[id(node)]

    def items(self, node: Node) -> list[Node]:
        """List the nodes of a list's or a dict's items."""
        inner = node.get("items_schema") or node.get("values_schema") or ()
        return inner if isinstance(inner, list) else [inner] if inner else []

    def objects(self, node: Node) -> list[Node]:
        """List the objects that a value of the node is, or is a list of."""
        found = []
        for inner in self.nodes(node):
            if inner["type"] in OBJECTS:
                found.append(inner)
            elif inner["type"] in LISTS:
                found += [o for item in self.items(inner) for o in self.objects(item)]
        return found

    def only_object(self, node: Node, *, many: bool) -> Node | None:
        """Return the object that a value of the node is, or with `many` a list of.

        None if it may be any other, or if a function gets the value before.
        """
        kind = node["type"]
        if kind == "definition-ref":
            return self.only_object(self._definitions[node["schema_ref"]], many=many)
        if kind in ("definitions", "nullable", "default", "function-after"):
            return self.only_object(node["schema"], many=many)
        if kind == "list" and many and not node.get("strict"):
            return self.only_object(node.get("items_schema") or node, many=False)
        return node if kind == "model" and not many else None

    def has_function_before(self, node: Node) -> bool:
        """Return whether a function gets the value before it is read as another."""
        while node["type"] not in FUNCTIONS_BEFORE and node["type"] not in LISTS:
            if "schema" not in node:
                return False
            node = node["schema"]
        return node["type"] in FUNCTIONS_BEFORE

    def is_nested(self) -> bool:
        """Return whether it is more than a flat object, or a list of flat objects."""
        nodes = self.nodes(self.root)
        inner = [n for node in nodes for i in self.items(node) for n in self.nodes(i)]
        return any(
            node["type"] not in OBJECTS
            or any(self.nodes(field) for _, field in self.fields(node))
            for node in [n for n in nodes if n["type"] not in LISTS] + inner
        )

    def fields(self, node: Node) -> list[tuple[list[Path], Node]]:
        """List the fields of an object: where each is looked up, and its node."""
        if id(node) not in self._fields:
            inner = node
            while inner["type"] not in FIELDS:
                inner = inner["schema"]
            fields = inner["fields"]
            named = fields.items() if isinstance(fields, dict) else zip_names(fields)
            self._fields[id(node)] = [
                (paths(node, name, field), field["schema"]) for name, field in named
            ]
        return self._fields[id(node)]

    def names(self) -> set[str]:
        """Return the names of all fields that were looked up."""
        found = [
            path for fields in self._fields.values() for f, _ in fields for path in f
        ]
        return {str(path[0]) for path in found}

    def _find(self, node: Node) -> Iterator[Node]:
        kind = node["type"]
        if kind == "definition-ref":
            yield from self._find(self._definitions[node["schema_ref"]])
        elif kind in LISTS | DICTS or (kind in OBJECTS and not node.get("root_model")):
            yield node
        elif kind == "union":
            for choice in node["choices"]:
                yield from self._find(
                    choice[0] if isinstance(choice, tuple) else choice
                )
        elif kind == "tagged-union":
            for choice in node["choices"].values():
                yield from self._find(choice)
        elif kind == "chain":
            for step in node["steps"]:
                yield from self._find(step)
        else:
            for key in SAME_VALUE:
                if key in node:
                    yield from self._find(node[key])


def zip_names(fields: list[Node]) -> Iterator[tuple[str, Node]]:
    """Give the fields of a dataclass their names."""
    return ((field["name"], field) for field in fields)


class Renamed:
    """A Peewee object, as a schema with aliases reads it."""

    def __init__(self, instance: Model, schema: type[BaseModel]) -> None:
        self._instance = instance
        self._names = plain_aliases(schema)

    def __getattr__(self, alias: str) -> Any:
        name = self._names.get(alias, alias)
        try:
            return getattr(self._instance, name)
        except AttributeError:
            return getattr(self._instance, alias)


def renamed(schema: type[BaseModel], data: Any) -> Any:
    """Wrap a Peewee object for a schema that has aliases."""
    return Renamed(data, schema) if isinstance(data, Model) else data


def rename_inside(node: Any, schema: type[BaseModel]) -> None:
    """Have the fields of a schema with aliases read from a Renamed.

    All validators of the schema still get the Peewee object itself.
    """
    while node["schema"]["type"] != "model-fields":
        node = node["schema"]
    if not is_renaming(node):
        node["schema"] = core_schema.no_info_before_validator_function(
            partial(renamed, schema), node["schema"]
        )


def reads_fields_alone(node: Node) -> bool:
    """Return whether it is a model that reads only its fields."""
    config = node.get("config", {})
    inner = node.get("schema", {})
    return (
        node["type"] == "model"
        # No validator takes the object itself.
        and (is_renaming(inner) or inner["type"] == "model-fields")
        and "fields" in inner.get("schema", inner)
        and config.get("extra_fields_behavior", "ignore") == "ignore"
        # No type is checked strictly.
        and not config.get("strict")
    )


def is_renaming(node: Node) -> bool:
    """Return whether `rename_inside` has put the node there."""
    function = node.get("function", {}).get("function")
    return getattr(function, "func", None) is renamed


def plain_aliases(schema: Any) -> dict[str, str]:
    """Map the aliases that a schema has for its JSON to the names of their fields.

    A `validation_alias` is not among them: it names the attribute to read.
    """
    fields = getattr(schema, "__pydantic_fields__", {})
    aliases = {
        info.alias: name
        for name, info in fields.items()
        if info.alias and info.alias == info.validation_alias
    }
    # A name that another field is read by is not for the JSON alone.
    for name, info in fields.items():
        source = info.validation_alias or name
        if name not in aliases.values() and isinstance(source, str):
            aliases.pop(source, None)
    return aliases


def paths(node: Node, name: str, field: Node) -> list[Path]:
    """List where Pydantic, or the getter dict, looks a field up in an object."""
    alias = field.get("validation_alias", name)
    if isinstance(alias, str):
        is_plain = alias in plain_aliases(node.get("cls"))
        return [(name,), (alias,)] if is_plain else [(alias,)]
    if alias and isinstance(alias[0], list):
        return [tuple(choice) for choice in alias]
    return [tuple(alias)]
