"""One request, one connection, on whatever threads the request runs.

Peewee keeps the connection of a `Database` in a thread-local. FastAPI runs one
request on several threads, and many requests on one thread, so a thread-local mixes
requests up. Here a context variable says which connection is the current request's.
FastAPI copies the context to every thread it uses.

Models bind to a `ContextDatabase`, which stands for the connection of the current
scope. A request gets its scope from `Pool.request`; a script has `connect(db, url)`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from inspect import ismethod
from typing import Any, Self

from peewee import Database, DatabaseProxy

from .engines import connector
from .prepared import PreparedQuery
from .scope import ConnectionScope, Holder, MakeConnection, NoConnectionError
from .transactions import Atomic

# Methods that are no statement: they read the result of one, after which others may
# have their turn, or keep Peewee's own account of transactions.
NO_STATEMENT = {
    *("last_insert_id", "rows_affected"),
    *("in_transaction", "transaction_depth", "top_transaction"),
    *("push_transaction", "pop_transaction"),
}


class ContextDatabase(DatabaseProxy):
    """The Peewee database that is, in each context, its scope's connection."""

    _scope: ContextVar[ConnectionScope | None]

    def __init__(self) -> None:
        # Peewee's proxy takes no attributes.
        object.__setattr__(self, "_scope", ContextVar("scope", default=None))
        super().__init__()

    @property
    def scope(self) -> ConnectionScope | None:
        """The scope that this code runs in, if there is one."""
        return self._scope.get()

    @contextmanager
    def use(self, scope: ConnectionScope) -> Iterator[Self]:
        """Make it the scope of what runs inside."""
        outer = self._scope.get()
        self._scope.set(scope)
        try:
            yield self
        finally:
            # Not reset(): a scope may end in another task than the one it began in.
            self._scope.set(outer)

    @property
    def obj(self) -> Database | None:
        """What the proxy stands for; None outside a scope."""
        scope = self._scope.get()
        return scope.database if scope else None

    @obj.setter
    def obj(self, value: None) -> None:
        """Peewee sets None when it makes a proxy; here the scope decides."""

    # As Peewee's, which begin and end transactions by the methods below.
    session_start: Any = Database.session_start
    session_commit: Any = Database.session_commit
    session_rollback: Any = Database.session_rollback

    def __getattr__(self, name: str) -> Any:
        if name == "_Model":  # Peewee's own `Model` has not been asked for yet.
            raise AttributeError(name)
        scope = self._scope_or_error()
        value = getattr(scope.database, name)
        if name in NO_STATEMENT or not ismethod(value):
            return value
        return partial(scope.call, value)

    def _scope_or_error(self) -> ConnectionScope:
        scope = self._scope.get()
        if scope is None:
            raise NoConnectionError
        return scope

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """As Peewee's."""
        with self._scope_or_error() as database:
            return database.execute_sql(sql, params)

    def execute(self, query: Any, **options: Any) -> Any:
        """As Peewee's, but for SQL that is there already."""
        with self._scope_or_error() as database:
            if isinstance(query, PreparedQuery) and not options:
                return database.execute_sql(*query.kept)
            return database.execute(query, **options)

    def atomic(self, *options: Any, **more: Any) -> Atomic:  # type: ignore[override]
        """As Peewee's; as a decorator also more than once."""
        return Atomic(self, super().atomic(*options, **more))

    def begin(self, *options: Any, **more: Any) -> None:
        """As Peewee's."""
        self._scope_or_error().begin(*options, **more)

    def commit(self) -> None:
        """As Peewee's."""
        self._scope_or_error().commit()

    def rollback(self) -> None:
        """As Peewee's."""
        self._scope_or_error().rollback()


@contextmanager
def connect(db: ContextDatabase, to: str | MakeConnection) -> Iterator[ContextDatabase]:
    """Open a scope for a script, a shell or a thread, with a connection of its own.

    `to` is a URL, or what makes an unopened connection. The tables have to be there.
    Raises what `connector` does, and at the first query Peewee's OperationalError if
    the database cannot be reached.
    """
    holder = Holder(connector(to) if isinstance(to, str) else to)
    scope = ConnectionScope(holder)
    try:
        with db.use(scope):
            yield db
    finally:
        if scope.end():
            holder.close()
