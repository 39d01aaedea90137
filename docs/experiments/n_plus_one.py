"""A page of users with their items: how many queries?"""

from peewee import BackrefAccessor, ForeignKeyField, Model, SqliteDatabase
from playhouse.test_utils import count_queries

db = SqliteDatabase(":memory:")


class User(Model):
    """A user and, by one query when first asked for, the user's items."""

    items: BackrefAccessor

    class Meta:
        database = db


class Item(Model):
    """An item of a user."""

    owner = ForeignKeyField(User, backref="items")

    class Meta:
        database = db


def queries(*eager: BackrefAccessor) -> int:
    """How many queries it takes to read all users and their items."""
    with count_queries() as counted:
        for user in User.select().with_related(*eager):
            list(user.items)
    return int(counted.count)


def main() -> None:
    """Count, lazily and eagerly, with few users and with many."""
    db.create_tables([User, Item])
    for users in (1, 10, 100):
        User.delete().execute()
        User.insert_many([{"id": n} for n in range(users)]).execute()
        Item.insert_many([{"owner": n} for n in range(users)]).execute()
        print(f"{users} users: {queries()} lazily, {queries(User.items)} eagerly")


if __name__ == "__main__":
    main()
