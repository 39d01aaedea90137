"""Queries whose SQL is built once.

Peewee takes longer to build the SQL of a query than SQLite to run it. A function that
returns a Peewee query is called once for each *shape* of its arguments, with
placeholders in their place; from then on its SQL only gets other values.
"""

import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import update_wrapper, wraps
from typing import Any, Generic, NamedTuple, NoReturn, ParamSpec, TypeVar

from peewee import (
    SQL,
    Database,
    DatabaseProxy,
    Model,
    ModelRaw,
    ModelSelect,
    Node,
    Select,
    fn,
)

from .peewee_private import (
    build,
    cursor_wrapper,
    is_limited,
    loads_related,
    needs_columns,
    rows_as_of,
)

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
T = TypeVar("T")

Change = Callable[["ModelSelect[Any]"], Any]

# Shapes whose SQL is kept: a client may send lists of any length.
MAX_KEPT = 100


class Given(Node):
    """Placeholder of an argument in a query."""

    def __init__(self, name: str, index: int | None = None) -> None:
        self.name = name
        self.index = index

    def __sql__(self, ctx: Any) -> Any:
        # The converter is for the value, which comes later: hence False.
        return ctx.value(Parameter(self, ctx.state.converter), converter=False)

    def _refuse(self, *_other: object) -> NoReturn:
        raise TypeError(
            f"The query is prepared for any value of {self.name!r}: only whether it is "
            "None, or how long a list it is, can change the SQL."
        )

    __bool__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __int__ = __float__ = __index__ = __iter__ = __len__ = __str__ = _refuse
    __hash__ = Node.__hash__


class Parameter:
    """Place of a value in the SQL, and its converter to the database's value."""

    def __init__(self, given: Given, converter: Callable[[Any], Any] | None) -> None:
        self.given = given
        self.converter = converter

    def value(self, arguments: dict[str, Any]) -> Any:
        """Return the value among these arguments of the function."""
        value = arguments[self.given.name]
        if self.given.index is not None:
            value = value[self.given.index]
        return self.converter(value) if self.converter else value


class Statement(NamedTuple):
    """SQL, its parameters, and the query that it was built from."""

    sql: str
    parameters: list[Any]
    query: Any

    def values(self, arguments: dict[str, Any]) -> list[Any]:
        """Return the values for these arguments of the function."""
        return [
            part.value(arguments) if isinstance(part, Parameter) else part
            for part in self.parameters
        ]


class PreparedQuery(ModelRaw, Generic[M]):
    """A query whose SQL is built already. Iterating it gives the query's rows."""

    def __init__(self, prepared: "Prepared[..., M]", arguments: dict[str, Any]) -> None:
        self._prepared = prepared
        self._arguments = arguments
        self._statement = prepared.statement(arguments)
        self.kept = self._statement.sql, self._statement.values(arguments)
        super().__init__(prepared.model, *self.kept)

    def __iter__(self) -> Iterator[M]:
        rows: Iterator[M] = super().__iter__()  # type: ignore[no-untyped-call]
        return rows

    def _get_cursor_wrapper(self, cursor: Any) -> Any:
        return cursor_wrapper(self, self._statement.query, cursor)

    def count(self) -> int:
        """Return the number of rows."""
        ((number,),) = self.rows("count", counted)
        return int(number)

    def first(self) -> M | None:
        """Return the first row, or None, in spite of a limit, as in Peewee."""
        if self.ask(is_limited):
            first: M | None = rows_as_of(self, self.plain()).first()
            return first
        return next(iter(self), None)

    def get(self) -> M:
        """Return the first row in spite of a limit, as Peewee does.

        Raises DoesNotExist if there is none.
        """
        if self.ask(is_limited):
            row: Any = rows_as_of(self, self.plain()).get()
        else:
            row = super().get()
        found: M = row
        return found

    def rows(self, key: Hashable, change: Change) -> list[tuple[Any, ...]]:
        """Return the driver's rows of this query after `change`.

        Its SQL is built once for each key.
        """
        statement = self._prepared.statement(self._arguments, key, change)
        database: Database = self.model._meta.database
        values = statement.values(self._arguments)
        return list(database.execute_sql(statement.sql, values).fetchall())

    def plain(self) -> "ModelSelect[M]":
        """Return Peewee's own query."""
        return self._prepared.plain(**self._arguments)

    def ask(self, question: Callable[["ModelSelect[M]"], T]) -> T:
        """Call a function with the query, and return its answer.

        The query has placeholders for the values, which cannot matter.
        """
        return question(self._statement.query)

    def changed(
        self, change: Callable[..., "ModelSelect[M]"], **more: Any
    ) -> "PreparedQuery[M]":
        """Return the result of `change(query, **more)`.

        Its SQL, too, is built once for each shape of all arguments.
        """
        # No argument of the function itself has a space in its name.
        ours = {f"{change.__name__} {name}": value for name, value in more.items()}
        return PreparedQuery(self._prepared.changed(change), self._arguments | ours)


class Prepared(Generic[P, M]):
    """A function that returns a query, with the SQL of its queries."""

    # The model of the rows, known after the first call.
    model: type[M]

    def __init__(self, function: Callable[P, "ModelSelect[M]"]) -> None:
        update_wrapper(self, function)
        self.plain = function
        self._signature = inspect.signature(function)
        self._defaults = {
            name: parameter.default
            for name, parameter in self._signature.parameters.items()
        }
        # Calls of the function that fit its signature.
        self._calls: set[tuple[object, ...]] = set()
        self._statements: dict[Hashable, Statement] = {}
        # Models in any of them, which may be given other tables.
        self._models: dict[type[Model], None] = {}
        self._changed: dict[Callable[..., Any], Prepared[..., M]] = {}

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
        arguments = self._defaults | given
        return PreparedQuery(self, arguments)

    def changed(self, change: Callable[..., "ModelSelect[M]"]) -> "Prepared[..., M]":
        """Return the function whose queries are changed; it takes more arguments."""
        if change not in self._changed:
            prefix = f"{change.__name__} "

            def function(**arguments: Any) -> "ModelSelect[M]":
                names = [name for name in arguments if name.startswith(prefix)]
                more = {n.removeprefix(prefix): arguments.pop(n) for n in names}
                return change(self.plain(**arguments), **more)  # type: ignore[call-arg]

            function.__qualname__ = self.plain.__qualname__
            self._changed[change] = Prepared(function)
        return self._changed[change]

    def statement(
        self,
        arguments: dict[str, Any],
        key: Hashable = None,
        change: Change = lambda query: query,
    ) -> Statement:
        """Return the SQL for these arguments, after a change that the key names.

        In place of the values it has a Parameter for each.
        """
        if not self._statements:
            self.model = self._query(arguments).model
        database = self.model._meta.database
        shape = tuple(map(shape_of, arguments.values()))
        name = dialect(database), shape, key
        kept = self._statements.get((name, table_names(self._models)))
        if kept is None:
            query = change(self._query(arguments))
            sql, parameters, models = build(database, query)
            statement = Statement(sql, parameters, query)
            plain = change(self.plain(**arguments))  # type: ignore[call-arg]
            # A pattern that Peewee makes of the value, for LIKE, differs.
            bound = sql, statement.values(arguments)
            # Nor is SQL, which equals everything to Python.
            is_sql = any(isinstance(value, Node) for value in bound[1])
            if is_sql or database.get_sql_context().parse(plain) != bound:
                raise TypeError(
                    f"{self.plain.__qualname__}() cannot be prepared: Peewee makes "
                    "more of a value than a parameter. Leave the decorator out."
                )
            if len(self._statements) >= MAX_KEPT:
                self._statements.clear()
            self._models |= dict.fromkeys(models)
            kept = self._statements[name, table_names(self._models)] = statement
        return kept

    def _query(self, arguments: dict[str, Any]) -> "ModelSelect[M]":
        placeholders = {n: placeholder(n, value) for n, value in arguments.items()}
        query: ModelSelect[M] = self.plain(**placeholders)  # type: ignore[call-arg]
        if not isinstance(query, ModelSelect) or loads_related(query):
            raise TypeError(
                f"{self.plain.__qualname__}() should return a select(), without "
                "with_related(), to be prepared."
            )
        return query


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
        return query(*args, **kwargs).first()

    return first


def shape_of(value: Any) -> Any:
    """Return the type of the value; of a list, those of its items."""
    if isinstance(value, list | tuple):
        return tuple(map(type, value))
    return type(value)


def placeholder(name: str, value: Any) -> Any:
    """Return the function's argument for the value."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [Given(name, index) for index in range(len(value))]
    return Given(name)


def counted(query: Any) -> Any:
    """Return the query that counts the rows."""
    rows = query.order_by()
    if not needs_columns(query):  # Of a join, two may have one name.
        rows = rows.select(SQL("1"))
    return Select([rows.alias("rows")], [fn.COUNT(SQL("1"))])


def table_names(models: Iterable[type[Model]]) -> tuple[Any, ...]:
    """Return the names of the models' tables, which a program may change."""
    return tuple([(m._meta.schema, m._meta.table_name) for m in models])


def dialect(database: Any) -> Hashable:
    """Return all that decides the SQL dialect of the database."""
    engine = database.obj if isinstance(database, DatabaseProxy) else database
    return type(engine), engine and engine.server_version
