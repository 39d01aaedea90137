from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from peewee import DatabaseProxy, Model, SqliteDatabase

DATABASE_FILE = "sql_app.db"

connection: ContextVar[SqliteDatabase | None] = ContextVar(
    "connection",
    default=None,
)


class ContextDatabase(DatabaseProxy):
    @property
    def obj(self) -> SqliteDatabase | None:
        return connection.get()

    @obj.setter
    def obj(self, value: None) -> None:
        pass  # Peewee sets None. The context variable decides.


db = ContextDatabase()


class BaseModel(Model):
    class Meta:
        database = db


@contextmanager
def connect() -> Iterator[None]:
    database = SqliteDatabase(
        DATABASE_FILE,
        thread_safe=False,
        check_same_thread=False,
    )
    connection.set(database)
    try:
        yield
    finally:
        connection.set(None)
        database.close()


async def get_db() -> AsyncIterator[None]:
    with connect():
        yield
