"""Each function of crud.py, and the SQL that it sends."""

from collections.abc import Callable

from peewee import QueryEvent

from peewee_app import crud
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect
from peewee_app.models import Item, User
from peewee_app.schemas import ItemCreate, UserInDB

EMAIL = "deadpool@example.com"
CALLS: dict[str, Callable[[], object]] = {
    "create_user": lambda: crud.create_user(UserInDB(email=EMAIL, hashed_password="")),
    "get_user": lambda: crud.get_user(1),
    "get_user_by_email": lambda: crud.get_user_by_email(EMAIL),
    "get_users": lambda: list(crud.get_users(skip=0, limit=100)),
    "update_user": lambda: crud.update_user(1, {"is_active": False}),
    "create_user_item": lambda: crud.create_user_item(ItemCreate(title="Foo"), 1),
    "get_items": lambda: list(crud.get_items(owner_id=1)),
    "update_item": lambda: crud.update_item(1, {"title": "Bar"}),
    "delete_item": lambda: crud.delete_item(1),
    "delete_user": lambda: crud.delete_user(1),
}


def show(event: QueryEvent) -> None:
    """Print the statement."""
    print("   ", event.sql)


def main() -> None:
    """Call each, on a database in memory."""
    with connect(db, "sqlite://"):
        db.create_tables([User, Item])
        db.query_hooks.append(show)
        for name, call in CALLS.items():
            print(name)
            call()


if __name__ == "__main__":
    main()
