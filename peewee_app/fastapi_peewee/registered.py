"""Registrations on a database, which every connection gets."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from peewee import Database, QueryEvent, SqliteDatabase

# The version that a new connection knows.
UNTOLD = -1

Hook = Callable[[QueryEvent], Any]


class Registered:
    """Functions, hooks and the like that each connection to a database gets."""

    # Methods of Peewee's databases that change their next connections.
    METHODS = frozenset(
        {
            *("register_function", "unregister_function"),
            *("register_aggregate", "unregister_aggregate"),
            *("register_collation", "unregister_collation"),
            *("register_window_function", "unregister_window_function"),
            *("load_extension", "unload_extension", "attach", "detach"),
            "set_isolation_level",
        }
    )
    # Decorators that call one of these.
    DECORATORS = frozenset({"func", "aggregate", "collation", "window_function"})

    def __init__(self) -> None:
        self.query_hooks: list[Hook] = []
        # Hooks of fields that look at the engine.
        self.callbacks: list[Callable[[Database], None]] = []
        self.version = 0
        self._calls: list[tuple[int, tuple[Any, ...]]] = []
        # Never opened: it answers like Peewee's, also to wrong arguments. Only
        # SQLite's methods have an answer.
        self._example = SqliteDatabase(None)

    def add(self, method: str, *args: Any, **options: Any) -> Any:
        """Call the method on each connection from now on; return Peewee's result."""
        answer = getattr(self._example, method, None)
        result = answer and answer(*args, **options)
        call = method, args, options
        self._calls = [(n, other) for n, other in self._calls if other != call]
        self.version += 1
        self._calls.append((self.version, call))
        return result

    def call_back(self, database: Database | None) -> None:
        """Call the callbacks with the connection, if it has been made."""
        if database is not None:
            for callback in self.callbacks:
                callback(database)

    def tell(self, database: Database, version: int) -> int:
        """Update a connection from the version that it knows.

        Returns its new version. Raises AttributeError for an engine without the
        method.
        """
        if version == UNTOLD:
            own: Any = database.query_hooks
            both: Any = BothHooks(self.query_hooks, own) if own else self.query_hooks
            database.query_hooks = both
            self.call_back(database)
        known = self.version
        for number, (method, args, options) in self._calls:
            if number > version:
                getattr(database, method)(*args, **options)
        return known


class BothHooks:
    """Hooks of all connections, and those of one connection."""

    def __init__(self, shared: list[Hook], own: list[Hook]) -> None:
        self.shared = shared
        self.own = own

    def __iter__(self) -> Iterator[Hook]:
        return chain(self.shared, self.own)
