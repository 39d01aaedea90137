"""One request, one connection, on whatever threads the request runs.

Peewee keeps the connection of a `Database` in a thread-local. FastAPI runs one
request on several threads, and many requests on one thread, so a thread-local mixes
requests up. Here a context variable says which connection is the current request's.
FastAPI copies the context to every thread it uses.

Models bind to a `ContextDatabase`, which stands for the connection of the current
scope. A request gets its scope from `Pool.request`; a script has `connect(db, url)`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import MethodType
from typing import Any, Self

from peewee import BlobField, Database, DatabaseProxy, JSONField, SqliteDatabase

from .engines import connector
from .inserts import insert_of
from .peewee_private import NO_STATEMENT
from .prepared import PreparedQuery
from .registered import Hook, MakeConnection, Registered
from .scope import NO_SCOPE, ConnectionScope, NoConnectionError, close, set_to
from .transactions import Atomic


class NoAttributeError(NoConnectionError, AttributeError):
    """An attribute of the connection was asked for where there is none."""


class ContextJSON:
    """JSON methods of the current scope's engine."""

    def __init__(self, db: "ContextDatabase") -> None:
        self._db = db

    def __deepcopy__(self, _memo: object) -> Self:
        return self  # Like its database.

    def _methods(self) -> Any:
        engine = self._db.engine
        return engine.json_methods(engine)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._methods(), name)

    def make_value_wrapper(self, dumps: Callable[[Any], str]) -> Callable[[Any], Any]:
        """Return a function from a value to the stored one."""
        return lambda value: self._methods().make_value_wrapper(dumps)(value)

    def make_value_reader(self, loads: Callable[[str], Any]) -> Callable[[Any], Any]:
        """Return a function from the stored value to a value."""
        return lambda value: self._methods().make_value_reader(loads)(value)


class ContextDatabase(DatabaseProxy):
    """Peewee database that is, in each context, its scope's connection.

    Functions, collations and hooks that a program registers hold for every connection,
    also a later one. Several of these databases in one app keep apart.
    """

    # Peewee's proxy takes no other attributes.
    __slots__ = ("_Model", "_binary", "_engine", "current", "registered")

    json_methods = ContextJSON

    def __init__(self) -> None:
        self.current: ContextVar[ConnectionScope]
        self.current = ContextVar("current", default=NO_SCOPE)
        self.registered = Registered()
        # The connection that was used last.
        self._engine: Database | None = None
        # One function, which Peewee's fields compare.
        self._binary: Callable[[bytes], Any]
        self._binary = lambda value: self.engine.get_binary_type()(value)  # type: ignore[attr-defined]

    def __deepcopy__(self, _memo: object) -> Self:
        return self  # As a database: it is a live resource.

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        # So that it passes for an instance of its engine's class, too.
        return type(self.current.get().made or self)

    @property
    def obj(self) -> Database | DatabaseProxy:
        """Database of the proxy: a connection, open or not; else itself."""
        scope = self.current.get()
        return self if scope is NO_SCOPE else scope.made or scope.make()

    @property
    def engine(self) -> Database:
        """Connection, or the last one that was used, to see its engine.

        Raises NoConnectionError if there has been none.
        """
        scope = self.current.get()
        if scope is not NO_SCOPE:
            self._engine = scope.made or scope.make()
        if self._engine is None:
            raise NoConnectionError
        return self._engine

    def attach_callback(self, callback: Callable[[Any], None]) -> Any:
        """Call it with the connection before each statement.

        Peewee attaches the hooks of fields. Fields that follow the current engine by
        themselves need none.
        """
        field = getattr(callback, "__self__", None)
        if not isinstance(field, BlobField | JSONField):
            self.registered.callbacks.append(callback)
        return callback

    def get_binary_type(self) -> Callable[[bytes], Any]:
        """Return the engine's function from bytes to binary data."""
        return self._binary

    @property
    def query_hooks(self) -> list[Hook]:
        """Hooks called after each statement, on every connection."""
        return self.registered.query_hooks

    # As Peewee's, but for all connections of this database.
    session_start: Any = Database.session_start
    session_commit: Any = Database.session_commit
    session_rollback: Any = Database.session_rollback
    batch_commit: Any = Database.batch_commit
    bind: Any = Database.bind
    bind_ctx: Any = Database.bind_ctx
    func: Any = SqliteDatabase.func
    aggregate: Any = SqliteDatabase.aggregate
    collation: Any = SqliteDatabase.collation
    window_function: Any = SqliteDatabase.window_function
    __enter__: Any = Database.__enter__
    __exit__: Any = Database.__exit__

    def __getattr__(self, name: str) -> Any:
        scope = self.current.get()
        if name in vars(ConnectionScope):  # It replaces methods: close, for example.
            return getattr(scope, name)
        if scope is not NO_SCOPE:
            value = getattr(scope.made or scope.make(), name)
        elif name in Registered.METHODS:
            value = None
        else:
            raise NoAttributeError
        if name in Registered.METHODS:
            return partial(self._register, name)
        if name in NO_STATEMENT or not isinstance(value, MethodType):
            return value
        return partial(scope.call, name)

    def _register(self, method: str, *args: Any, **options: Any) -> Any:
        result = self.registered.add(method, *args, **options)
        scope = self.current.get()
        if not scope.is_closed():
            with scope as database:
                self.registered.tell(database)
        return result

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Do as Peewee's."""
        with self.current.get() as database:
            return database.execute_sql(sql, params)

    def execute(self, query: Any, **options: Any) -> Any:
        """Do as Peewee's, but do not build SQL again."""
        with self.current.get() as database:
            if not options:
                is_prepared = isinstance(query, PreparedQuery)
                kept = query.kept if is_prepared else insert_of(database, query)
                if kept:
                    return database.execute_sql(*kept)
            return database.execute(query, **options)

    def atomic(self, *options: Any, **more: Any) -> Atomic:  # type: ignore[override]
        """Do as Peewee's; as a decorator also more than once."""
        return Atomic(self, super().atomic(*options, **more))


@contextmanager
def connect(
    db: ContextDatabase, to: str | MakeConnection, *, may_block: bool = False
) -> Iterator[ContextDatabase]:
    """Open a scope for a script, a shell or a thread, with a connection of its own.

    `to` is a URL, or a function that makes an unopened connection. The tables must
    exist. With `may_block`, queries may run on an event loop, and block it.
    Raises the errors of `connector`, and at the first query Peewee's OperationalError
    if the database cannot be reached.
    """
    make = connector(to) if isinstance(to, str) else to
    scope = ConnectionScope(make, db.registered, may_block=may_block)
    try:
        with set_to(db.current, scope):
            yield db
    finally:
        if database := scope.end():
            close(database)
