from collections.abc import AsyncIterator
from functools import partial

from peewee import Model

from peewee_app import fastapi_peewee
from peewee_app.fastapi_peewee import Pool, connector

URL = "sqlite:///./sql_app.db"

db = fastapi_peewee.ContextDatabase()
connect = partial(fastapi_peewee.connect, db, URL, may_block=True)
pool = Pool(db, connector(URL), size=1, timeout=30)


class BaseModel(Model):
    class Meta:
        database = db


async def get_db() -> AsyncIterator[None]:
    async with pool.request():
        yield
