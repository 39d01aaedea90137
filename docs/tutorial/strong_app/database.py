from collections.abc import AsyncIterator

from peewee import Model

from peewee_app.fastapi_peewee import ContextDatabase, Pool, connector

db = ContextDatabase()
pool = Pool(db, connector("sqlite:///./sql_app.db"), size=1, timeout=30)
connect = pool.connection


class BaseModel(Model):
    class Meta:
        database = db


async def get_db() -> AsyncIterator[None]:
    async with pool.request():
        yield
