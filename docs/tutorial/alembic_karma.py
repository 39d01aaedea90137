"""The step of a migration by Alembic, on the tables of the app on SQLAlchemy."""

from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Integer, create_engine, inspect

from comparison.sqlalchemy_app.models import User


def upgrade() -> None:
    """Add the column."""
    karma = Column("karma", Integer, nullable=False, server_default="0")
    op.add_column("users", karma)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("users", "karma")


def main() -> None:
    """Do as `alembic upgrade` does, and as `alembic downgrade`."""
    engine = create_engine("sqlite://")
    User.metadata.create_all(engine)
    with (
        engine.connect() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        for step in (upgrade, downgrade):
            step()
            columns = inspect(connection).get_columns("users")
            print(f"{step.__name__}:", *(column["name"] for column in columns))


if __name__ == "__main__":
    main()
