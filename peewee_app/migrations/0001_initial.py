"""The tables of the SQLAlchemy tutorial, where they are not there yet.

A database that already has them, such as the tutorial's own, keeps its rows, and gets
the indexes that it lacks.
"""

from typing import Any

from peewee import (
    AutoField,
    BooleanField,
    CharField,
    Database,
    ForeignKeyField,
    Model,
    MySQLDatabase,
    SqliteDatabase,
)
from playhouse.sqlite_ext import AutoIncrementField

# Text compares exactly on SQLite and PostgreSQL. MySQL and MariaDB ignore case, accents
# and spaces at the end, unless told not to; by names on which they do not agree.
EXACT_TEXT = (
    "DEFAULT CHARACTER SET utf8mb4"
    " /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */"
)


def models(db: Database) -> tuple[type[Model], type[Model]]:
    """User and Item as they were at this step, whatever the app's models become."""

    # SQLite would give the id of a deleted row to the next one.
    sqlite = isinstance(db, SqliteDatabase)
    id_field = AutoIncrementField if sqlite else AutoField

    class Base(Model):
        class Meta:
            database = db
            table_settings = EXACT_TEXT if isinstance(db, MySQLDatabase) else None

    class User(Base):
        id = id_field()
        email = CharField()
        hashed_password = CharField()
        is_active = BooleanField(default=True)

        class Meta:
            table_name = "users"

    class Item(Base):
        id = id_field()
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
    for table, column, unique in [
        ("users", "email", True),
        ("items", "title", False),
        ("items", "description", False),
        ("items", "owner_id", False),
    ]:
        name = f"ix_{table}_{column}"  # As SQLAlchemy names an index.
        # Looked up, since MySQL has no CREATE INDEX IF NOT EXISTS.
        if name not in {index.name for index in db.get_indexes(table)}:
            migrator.migrate(migrator.add_index(table, [column], unique, name=name))


def down(_migrator: Any, db: Database) -> None:
    """Drop the tables, with everything in them."""
    for model in reversed(models(db)):
        model.drop_table()
