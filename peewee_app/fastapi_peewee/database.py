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
from .peewee_private import NO_STATEMENT
from .prepared import PreparedQuery
from .registered import Hook, Registered
from .scope import (
    NO_SCOPE,
    ConnectionScope,
    Holder,
    MakeConnection,
    NoConnectionError,
)
from .transactions import Atomic

# Methods of a database that its scope replaces.
SCOPE_METHODS = frozenset(
    {
        *("begin", "commit", "rollback", "in_transaction"),
        *("connect", "close", "is_closed", "is_connection_usable"),
    }
)


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

    _scope: ContextVar[ConnectionScope]
    _registered: Registered
    _engine: Database | None
    _binary: Callable[[bytes], Any]

    json_methods = ContextJSON

    def __init__(self) -> None:
        # Peewee's proxy takes no attributes.
        vars(self).update(
            _scope=ContextVar("scope", default=NO_SCOPE),
            _registered=Registered(),
            _engine=None,
            _binary=lambda value: self.engine.get_binary_type()(value),  # type: ignore[attr-defined]
        )
        super().__init__()

    def __deepcopy__(self, _memo: object) -> Self:
        return self  # As a database: it is a live resource.

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        # So that it passes for an instance of its engine's class, too.
        return type(self._scope.get().made or self)

    @property
    def scope(self) -> ConnectionScope | None:
        """Scope that this code runs in, or None."""
        scope = self._scope.get()
        return None if scope is NO_SCOPE else scope

    def holder(self, connect: MakeConnection) -> Holder:
        """Return a holder of one connection, with all registrations."""
        return Holder(connect, self._registered)

    @contextmanager
    def use(self, scope: ConnectionScope) -> Iterator[Self]:
        """Make it the scope of the block."""
        before = self._scope.get()
        self._scope.set(scope)
        self._registered.call_back(scope.made)
        try:
            yield self
        finally:
            # Not reset(): a scope may end in another task than the one it began in.
            self._scope.set(before)
            self._registered.call_back(before.made)

    @property
    def obj(self) -> Database | DatabaseProxy:
        """Database of the proxy: a connection, open or not; else itself."""
        scope = self._scope.get()
        return self if scope is NO_SCOPE else scope.database

    @obj.setter
    def obj(self, value: None) -> None:
        """Ignore the None that Peewee sets: the scope decides."""

    @property
    def engine(self) -> Database:
        """Connection, or the last one that was used, to see its engine.

        Raises NoConnectionError if there has been none.
        """
        scope = self._scope.get()
        engine = self._engine if scope is NO_SCOPE else scope.database
        if engine is None:
            raise NoConnectionError
        if engine is not self._engine:
            vars(self)["_engine"] = engine
        return engine

    def attach_callback(self, callback: Callable[[Any], None]) -> Any:
        """Call it with the connection of a scope, before that is used.

        Peewee attaches the hooks of fields. Fields that follow the current engine by
        themselves need none.
        """
        field = getattr(callback, "__self__", None)
        if not isinstance(field, BlobField | JSONField):
            self._registered.callbacks.append(callback)
        return callback

    def get_binary_type(self) -> Callable[[bytes], Any]:
        """Return the engine's function from bytes to binary data."""
        return self._binary

    @property
    def query_hooks(self) -> list[Hook]:
        """Hooks called after each statement, on every connection."""
        return self._registered.query_hooks

    # As Peewee's, but for all connections of this database.
    session_start: Any = Database.session_start
    session_commit: Any = Database.session_commit
    session_rollback: Any = Database.session_rollback
    batch_commit: Any = Database.batch_commit
    bind: Any = Database.bind
    bind_ctx: Any = Database.bind_ctx
    __enter__: Any = Database.__enter__
    __exit__: Any = Database.__exit__

    def __getattr__(self, name: str) -> Any:
        scope = self._scope.get()
        if name in SCOPE_METHODS:
            return getattr(scope, name)
        if name == "_Model":  # Peewee's own `Model` has not been asked for yet.
            raise AttributeError(name)
        told = name in Registered.METHODS
        decorates = name in Registered.DECORATORS
        value = None
        if scope is not NO_SCOPE:
            value = getattr(scope.database, name)
        elif not (told or decorates):
            raise NoAttributeError
        if told:
            return partial(self._register, name)
        if decorates:
            return partial(getattr(SqliteDatabase, name), self)
        if name in NO_STATEMENT or not isinstance(value, MethodType):
            return value
        return partial(scope.call, name)

    def _register(self, method: str, *args: Any, **options: Any) -> Any:
        result = self._registered.add(method, *args, **options)
        self._scope.get().tell()
        return result

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Do as Peewee's."""
        with self._scope.get() as database:
            return database.execute_sql(sql, params)

    def execute(self, query: Any, **options: Any) -> Any:
        """Do as Peewee's, but do not build SQL again."""
        with self._scope.get() as database:
            if isinstance(query, PreparedQuery) and not options:
                return database.execute_sql(*query.kept)
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
    holder = db.holder(connector(to) if isinstance(to, str) else to)
    scope = ConnectionScope(holder, may_block=may_block)
    try:
        with db.use(scope):
            yield db
    finally:
        if scope.end():
            holder.close()
