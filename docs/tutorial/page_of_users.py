"""The statements for a page of users with their items."""

from peewee import QueryEvent

from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, read
from peewee_app.models import Item, User


def show(event: QueryEvent) -> None:
    """Print the statement."""
    print(event.sql)


def main() -> None:
    """Read the page as `GET /users/` does."""
    with connect(db, "sqlite://"):
        db.create_tables([User, Item])
        for n in range(3):
            User.create(email=f"{n}@example.com", hashed_password="")
        db.query_hooks.append(show)
        read(list[schemas.User], crud.get_users())


if __name__ == "__main__":
    main()
