"""Tables of the SQLAlchemy tutorial, where they are missing.

A database that has them already, such as the tutorial's own, keeps its rows and its
indexes, and gets those that it lacks.
"""

from typing import Any

from peewee import BooleanField, CharField, Database, ForeignKeyField, Model

from peewee_app.migrations.helpers import add_missing_index, base_model, id_field


def models(db: Database) -> tuple[type[Model], type[Model]]:
    """Return User and Item of this step; the app's models may change."""
    base: Any = base_model(db)

    class User(base):  # type: ignore[misc]
        id = id_field(db)
        email = CharField()
        hashed_password = CharField()
        is_active = BooleanField(default=True)

        class Meta:
            table_name = "users"

    class Item(base):  # type: ignore[misc]
        id = id_field(db)
        title = CharField()
        description = CharField(null=True)
        owner = ForeignKeyField(User, index=False)

        class Meta:
            table_name = "items"

    return User, Item


def up(migrator: Any, db: Database) -> None:
    """Create what is missing."""
    for model in models(db):
        model.create_table(safe=True)
    add_missing_index(migrator, db, "users", "email", unique=True)
    for column in ("title", "description", "owner_id"):
        add_missing_index(migrator, db, "items", column)


def down(_migrator: Any, db: Database) -> None:
    """Drop the tables, with everything in them."""
    for model in reversed(models(db)):
        model.drop_table()
