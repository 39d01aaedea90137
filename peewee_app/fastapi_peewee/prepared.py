"""Queries whose SQL is built once.

Peewee takes longer to build the SQL of a query than SQLite to run it. A function that
returns a Peewee query is called once for each *shape* of its arguments, with
placeholders in their place; from then on its SQL only gets other values.
"""

import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import reduce, update_wrapper, wraps
from operator import getitem
from typing import Any, Generic, NamedTuple, NoReturn, ParamSpec, TypeVar

from peewee import Model, ModelRaw, ModelSelect, Node

from .peewee_private import build, cursor_wrapper, loads_related, rows_as_of

P = ParamSpec("P")
M = TypeVar("M", bound=Model)

# Returns another query, of a query and values.
Change = Callable[..., Any]

# Arguments of the function by their names, and those of changes by the change.
Inputs = dict[Any, Any]

# Shapes whose SQL is kept: a client may send lists of any length.
MAX_KEPT = 100


class Given(Node):
    """Placeholder of an input in a query; the path leads to its value."""

    def __init__(self, *path: Any) -> None:
        self.path = path

    def __sql__(self, ctx: Any) -> Any:
        # The converter is for the value, which comes later: hence False.
        return ctx.value(Parameter(self.path, ctx.state.converter), converter=False)

    def _refuse(self, *_other: object) -> NoReturn:
        raise TypeError(
            f"The query is prepared for any value of {self.path[0]!r}: only whether it "
            "is None, or how long a list it is, can change the SQL."
        )

    __bool__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __int__ = __float__ = __index__ = __iter__ = __len__ = __str__ = _refuse
    __hash__ = Node.__hash__


class Parameter(NamedTuple):
    """Place of an input's value in the SQL, and its converter to the database's."""

    path: tuple[Any, ...]
    converter: Callable[[Any], Any] | None

    def value(self, inputs: Inputs) -> Any:
        """Return the value among these inputs."""
        value = reduce(getitem, self.path, inputs)
        return self.converter(value) if self.converter else value


class Statement(NamedTuple):
    """SQL of a query that has placeholders, with a Parameter for each value."""

    query: Any
    sql: str
    parameters: list[Any]

    def values(self, inputs: Inputs) -> list[Any]:
        """Return the values for these inputs."""
        return [
            part.value(inputs) if isinstance(part, Parameter) else part
            for part in self.parameters
        ]


class PreparedQuery(ModelRaw, Generic[M]):
    """A query whose SQL is built already. Iterating it gives the query's rows.

    Peewee builds other SQL for `first`, `get` and `count`, each time.
    """

    def __init__(self, prepared: "Prepared[..., M]", inputs: Inputs) -> None:
        self.prepared = prepared
        self.inputs = inputs
        statement = prepared.statement(inputs)
        # Peewee's query, with placeholders for the values.
        self.shape: ModelSelect[M] = statement.query
        self.kept = statement.sql, statement.values(inputs)
        super().__init__(self.shape.model, *self.kept)

    def __iter__(self) -> Iterator[M]:
        rows: Iterator[M] = super().__iter__()  # type: ignore[no-untyped-call]
        return rows

    def _get_cursor_wrapper(self, cursor: Any) -> Any:
        return cursor_wrapper(self, self.shape, cursor)

    def plain(self) -> "ModelSelect[M]":
        """Return Peewee's own query, with rows of the same kind."""
        query: ModelSelect[M] = rows_as_of(self, self.prepared.query(self.inputs))
        return query

    def first(self) -> M | None:
        """Return the first row, or None."""
        row: M | None = self.plain().first()
        return row

    def get(self) -> M:
        """Return the first row. Raises DoesNotExist if there is none."""
        row: M = self.plain().get()
        return row

    def count(self) -> int:
        """Return the number of rows."""
        return self.plain().count()


class Prepared(Generic[P, M]):
    """A function that returns a query, with the SQL of its queries."""

    def __init__(self, function: Callable[P, "ModelSelect[M]"]) -> None:
        update_wrapper(self, function)
        self.plain = function
        self._signature = inspect.signature(function)
        parameters = self._signature.parameters.values()
        self._defaults = {p.name: p.default for p in parameters}
        # Calls of the function that fit its signature.
        self._calls: set[tuple[object, ...]] = set()
        self._statements: dict[Hashable, Statement] = {}
        # Models in any of them.
        self._models: dict[type[Model], None] = {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> PreparedQuery[M]:
        """Return the query for these arguments, not run yet.

        Raises TypeError if the function asks for the value of an argument, or does not
        return a select().
        """
        call = len(args), *kwargs
        if call not in self._calls:
            self._signature.bind(*args, **kwargs)
            self._calls.add(call)
        given = dict(zip(self._defaults, args, strict=False)) | kwargs
        return PreparedQuery(self, self._defaults | given)

    def statement(self, inputs: Inputs) -> Statement:
        """Return the SQL for inputs of this shape."""
        shape = *inputs, *shape_of(inputs.values())
        kept = self._statements.get((shape, *map(dialect, self._models)))
        if kept is None:
            kept, models = self._build(inputs)
            if len(self._statements) >= MAX_KEPT:
                self._statements.clear()
            self._models |= dict.fromkeys(models)
            self._statements[shape, *map(dialect, self._models)] = kept
        return kept

    def query(self, inputs: Inputs) -> "ModelSelect[M]":
        """Return Peewee's own query."""
        arguments = {k: value for k, value in inputs.items() if isinstance(k, str)}
        query: ModelSelect[M] = self.plain(**arguments)  # type: ignore[call-arg]
        if not isinstance(query, ModelSelect) or loads_related(query):
            raise TypeError(
                f"{self.plain.__qualname__}() should return a select(), without "
                "with_related(), to be prepared."
            )
        for change, values in inputs.items():
            if callable(change):
                query = change(query, *values)
        return query

    def _build(self, inputs: Inputs) -> tuple[Statement, list[type[Model]]]:
        query = self.query({key: placeholder(v, key) for key, v in inputs.items()})
        database = query.model._meta.database
        sql, parameters, models = build(database, query)
        statement = Statement(query, sql, parameters)
        values = statement.values(inputs)
        plain = database.get_sql_context().parse(self.query(inputs))
        # A pattern that Peewee makes of the value, for LIKE, differs. Nor is a value
        # SQL, which equals everything to Python.
        is_sql = any(isinstance(value, Node) for value in values)
        if is_sql or plain != (sql, values):
            raise TypeError(
                f"{self.plain.__qualname__}() cannot be prepared: Peewee makes "
                "more of a value than a parameter. Leave the decorator out."
            )
        return statement, models


def prepared(function: Callable[P, "ModelSelect[M]"]) -> Prepared[P, M]:
    """Make the function return PreparedQuery: its SQL is built once for each shape.

    The shape is the types of the arguments, and of the items of a list, and the kind
    of database. An optional filter is an `if x is None`.
    """
    return Prepared(function)


def prepared_first(
    function: Callable[P, "ModelSelect[M]"],
) -> Callable[P, M | None]:
    """Prepare the function, and make it return the first instance, or None."""
    query = prepared(function)

    @wraps(function)
    def first(*args: P.args, **kwargs: P.kwargs) -> M | None:
        return next(iter(query(*args, **kwargs)), None)

    return first


def changed(query: Any, change: Change, *values: Any) -> Any:
    """Return `change(query, *values)`, prepared if the query is."""
    if isinstance(query, PreparedQuery):
        return PreparedQuery(query.prepared, query.inputs | {change: values})
    return change(query, *values)


def shape_of(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return the types of the values; of a list, those of its items."""
    types = [shape_of(v) if isinstance(v, list | tuple) else type(v) for v in values]
    return tuple(types)


def placeholder(value: Any, *path: Any) -> Any:
    """Return the input that stands for the value, to which the path leads."""
    if isinstance(value, list | tuple):
        return [placeholder(item, *path, n) for n, item in enumerate(value)]
    return None if value is None else Given(*path)


def dialect(model: type[Model], database: Any = None) -> Hashable:
    """Return what the model's SQL depends on: its table's name, the kind of database.

    A program may change either. The database is the model's own, unless given.
    """
    meta = model._meta
    engine = database or getattr(meta.database, "obj", meta.database)
    version = engine and engine.server_version
    return meta.schema, meta.table_name, type(engine), version
