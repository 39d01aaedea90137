"""Three users with their items, as Pydantic objects: how many queries?"""

from collections.abc import Callable
from typing import Any

from playhouse.pydantic_utils import to_pydantic
from playhouse.test_utils import count_queries
from pydantic import TypeAdapter

from comparison.sqlalchemy_app import schemas as from_attributes
from peewee_app import crud, schemas
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, read
from peewee_app.models import Item, User

ItemSchema: Any = to_pydantic(Item, exclude_autofield=False)
UserSchema: Any = to_pydantic(
    User,
    exclude=[User.hashed_password],
    exclude_autofield=False,
    relationships={User.items: list[ItemSchema]},
)


def count(way: str, schema: Any, users: Callable[[], Any]) -> None:
    """Print how many queries it takes to read the users by the schema."""
    with count_queries() as counted:
        found = TypeAdapter(list[schema]).validate_python(users())
    items = sum(len(user.items) for user in found)
    print(f"{way}: {counted.count} queries for {items} items")


def main() -> None:
    """Read them in each way."""
    with connect(db, "sqlite://"):
        db.create_tables([User, Item])
        for n in range(3):
            user = User.create(email=f"{n}@example.com", hashed_password="")
            for title in ("Foo", "Bar"):
                Item.create(title=title, owner=user)
        users = User.select()
        eager = users.with_related(User.items)
        count("from_attributes", from_attributes.User, lambda: list(users.clone()))
        count(
            "from_attributes, with_related", from_attributes.User, lambda: list(eager)
        )
        count("to_pydantic", UserSchema, lambda: list(users.clone()))
        count("to_pydantic, with_related", UserSchema, lambda: list(eager.clone()))
        count(
            "the getter dict",
            schemas.User,
            lambda: read(list[schemas.User], crud.get_users()),
        )


if __name__ == "__main__":
    main()
