"""Registrations on a database, which every connection gets."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from peewee import Database, QueryEvent, SqliteDatabase

# Makes an unopened connection, with `thread_safe=False`.
MakeConnection = Callable[[], Database]

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

    def __init__(self) -> None:
        self.query_hooks: list[Hook] = []
        # Hooks of fields that look at the engine.
        self.callbacks: list[Callable[[Database], None]] = []
        # Calls of the methods, numbered, and the last number that a connection knows.
        self._calls: list[tuple[int, tuple[Any, ...]]] = []
        self._number = 0
        self._known: WeakKeyDictionary[Database, int] = WeakKeyDictionary()
        # Never opened: it answers like Peewee's, also to wrong arguments. Only
        # SQLite's methods have an answer.
        self._example = SqliteDatabase(None)

    def add(self, method: str, *args: Any, **options: Any) -> Any:
        """Call the method on each connection from now on; return Peewee's result."""
        answer = getattr(self._example, method, None)
        result = answer and answer(*args, **options)
        call = method, args, options
        self._calls = [(n, other) for n, other in self._calls if other != call]
        self._number += 1
        self._calls.append((self._number, call))
        return result

    def make(self, connect: MakeConnection) -> Database:
        """Make a connection that has the hooks, beside those of its own.

        Raises TypeError for a database that keeps a connection for each thread.
        """
        database = connect()
        if database.thread_safe:
            raise TypeError("The database needs the option thread_safe=False.")
        if database.query_hooks:
            database.query_hooks.append(self._call_hooks)
        else:
            database.query_hooks = self.query_hooks
        return database

    def tell(self, database: Database) -> None:
        """Call the methods on a connection that it has not been told of.

        Raises AttributeError for an engine without the method.
        """
        known, number = self._known.get(database, 0), self._number
        if known == number:
            return
        for added, (method, args, options) in self._calls:
            if added > known:
                getattr(database, method)(*args, **options)
        self._known[database] = number

    def call_back(self, database: Database) -> None:
        """Call the callbacks with the connection."""
        for callback in self.callbacks:
            callback(database)

    def _call_hooks(self, event: QueryEvent) -> None:
        for hook in self.query_hooks:
            hook(event)
