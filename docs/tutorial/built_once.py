"""When Peewee builds the SQL of a prepared query, and what cannot be prepared."""

from peewee import ModelSelect

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, prepared
from peewee_app.models import User

calls: list[object] = []


@prepared
def users_after(user_id: int, email: str | None = None) -> "ModelSelect[User]":
    """Users with a greater id and, if it is given, this email."""
    calls.append(user_id)
    users = User.select().where(User.id > user_id)
    return users if email is None else users.where(User.email == email)


@prepared
def users_from(user_id: int) -> "ModelSelect[User]":
    """Looks at the value, which a prepared function must not."""
    return User.select().where(User.id >= max(user_id, 1))


def main() -> None:
    """Call them."""
    with connect(db, "sqlite://"):
        db.create_tables([User])
        for user_id, email in [(1, None), (2, None), (2, "a@x.org"), (3, "b@x.org")]:
            calls.clear()
            list(users_after(user_id, email))
            print(f"users_after({user_id}, {email})", "built" if calls else "kept")
        try:
            users_from(1)
        except TypeError as exc:
            print(exc)


if __name__ == "__main__":
    main()
