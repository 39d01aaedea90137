"""Parts of migrations: ids, text that compares exactly, and indexes."""

from typing import Any

from peewee import AutoField, Database, Model, MySQLDatabase, SqliteDatabase
from playhouse.sqlite_ext import AutoIncrementField

# Text compares exactly on SQLite and PostgreSQL. MySQL and MariaDB ignore case, accents
# and spaces at the end, unless told not to, and call the collation by different names.
EXACT_TEXT = (
    "DEFAULT CHARACTER SET utf8mb4"
    " /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */"
)


def base_model(db: Database) -> type[Model]:
    """Return a base for the models of a migration, whose tables have exact text."""

    class Base(Model):
        class Meta:
            database = db
            table_settings = EXACT_TEXT if isinstance(db, MySQLDatabase) else None

    return Base


def id_field(db: Database) -> AutoField:
    """Return a primary key that gives no id twice: SQLite would, after a deletion."""
    field = AutoIncrementField if isinstance(db, SqliteDatabase) else AutoField
    return field()


def add_missing_index(
    migrator: Any, db: Database, table: str, column: str, *, unique: bool = False
) -> None:
    """Index the column, if no index of this one column is there, by any name."""
    indexes = [index for index in db.get_indexes(table) if index.columns == [column]]
    if not any(index.unique or not unique for index in indexes):
        migrator.migrate(migrator.add_index(table, [column], unique))
