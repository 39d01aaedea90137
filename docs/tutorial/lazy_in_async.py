"""Peewee's asyncio extension, and a relation that nobody has awaited."""

import asyncio

from peewee import BackrefAccessor, CharField, ForeignKeyField, Model
from playhouse.pwasyncio import (
    AsyncModelMixin,
    AsyncSqliteDatabase,
    MissingGreenletBridge,
)

db = AsyncSqliteDatabase(":memory:")


class User(AsyncModelMixin, Model):  # type: ignore[misc]
    """A user, and the user's items."""

    email = CharField()
    items: BackrefAccessor

    class Meta:
        database = db


class Item(AsyncModelMixin, Model):  # type: ignore[misc]
    """An item of a user."""

    title = CharField()
    owner = ForeignKeyField(User, backref="items")

    class Meta:
        database = db


async def main() -> None:
    """Read the items of a user in three ways."""
    async with db:
        await db.acreate_tables([User, Item])
        user = await User.acreate(email="wade@example.com")
        await Item.acreate(title="Foo", owner=user)

        try:
            print([item.title for item in user.items])
        except MissingGreenletBridge as exc:
            print(type(exc).__name__)
        print([item.title for item in await db.list(user.items)])
        print(await db.run(lambda: [item.title for item in user.items]))
    await db.close_pool()


if __name__ == "__main__":
    asyncio.run(main())
