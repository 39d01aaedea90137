"""A task that outlives its request, without a scope of its own and with one."""

from collections.abc import AsyncIterator

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.testclient import TestClient
from peewee import CharField, Model

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    NoConnectionError,
    Pool,
    connector,
)

db = ContextDatabase()
pool = Pool(db, connector("sqlite://"), size=1, timeout=10)


class Mail(Model):
    """A letter that was sent."""

    to = CharField()

    class Meta:
        database = db


def send_without_scope(to: str) -> None:
    """The request is over, and so is its scope."""
    try:
        Mail.create(to=to)
    except NoConnectionError as exc:
        print(f"without: {str(exc).partition('.')[0]}")


def send(to: str) -> None:
    """A scope of its own, with a connection of its own."""
    with pool.connection():
        Mail.create(to=to)
        print(f"with: {Mail.select().count()} sent")


async def get_db() -> AsyncIterator[None]:
    """Give a request its connection."""
    async with pool.request():
        yield


app = FastAPI()


@app.post("/mails/", dependencies=[Depends(get_db, scope="function")])
def create_mail(to: str, tasks: BackgroundTasks) -> None:
    """Answer first, and send later."""
    tasks.add_task(send_without_scope, to)
    tasks.add_task(send, to)


if __name__ == "__main__":
    with pool.connection():
        db.create_tables([Mail])
    TestClient(app).post("/mails/", params={"to": "wade@example.com"})
    pool.close()
