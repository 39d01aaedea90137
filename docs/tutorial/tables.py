"""What SQL the models stand for."""

from peewee import QueryEvent

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect
from peewee_app.models import Item, User


def show(event: QueryEvent) -> None:
    """Print the statement."""
    print(event.sql)


def main() -> None:
    """Create the tables, in memory, and use an attribute of each kind."""
    with connect(db, "sqlite://"):
        db.query_hooks.append(show)
        db.create_tables([User, Item])
        print("-- a user and an item")
        user = User.create(email="deadpool@example.com", hashed_password="")
        item = Item.create(title="Foo", owner=user)
        print("-- item.owner_id of an item that was just read")
        item = Item.get_by_id(item.id)
        print(item.owner_id)
        print("-- item.owner")
        print(item.owner.email)
        print("-- user.items")
        print([item.title for item in user.items])


if __name__ == "__main__":
    main()
