"""Settings, from environment variables of the same names."""

import logging
import sys
from multiprocessing import parent_process
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from .fastapi_peewee import connector, is_in_memory, pool_size, without_password

# The server's, which is shown.
logger = logging.getLogger("uvicorn.error")

IN_MEMORY = (
    "The database is in the memory of this process: each of several workers has one of "
    "its own, and a restart empties it. Name a file, or serve with one process."
)


class Settings(BaseSettings):
    """Settings for an operator; docs/settings.md has the table."""

    # Secret, since it may have a password in it.
    database_url: SecretStr = SecretStr("sqlite:///./sql_app.db")
    # Connections, and so requests in the database at once, for each process.
    # By default, as many as suit the engine.
    database_pool_size: int = Field(default=0, ge=1, le=1000, validate_default=False)
    # Seconds that a request waits for a hash and for a slot.
    database_pool_timeout: float = Field(default=10, gt=0, le=3600)
    # True to apply pending migrations at the start, False to refuse to start.
    migrate_at_start: bool = True
    # True to log each statement, and tell the browser the database's time.
    echo_sql: bool = False
    # Bytes of a request body.
    max_body_size: int = Field(default=1024 * 1024, ge=1)
    # Host names that a request may be for, with commas between them; empty for all.
    allowed_hosts: Annotated[list[str], NoDecode] = []

    @field_validator("database_url")
    @classmethod
    def check_database_url(cls, url: SecretStr) -> SecretStr:
        """Raise ValueError for a URL that leads to no database."""
        connector(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def set_database_pool_size(self) -> Self:
        """Fill in the default."""
        if not self.database_pool_size:
            self.database_pool_size = pool_size(self.database_url.get_secret_value())
        return self

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def split_allowed_hosts(cls, names: Any) -> Any:
        """Split the names."""
        if not isinstance(names, str):
            return names
        return [name.strip() for name in names.split(",") if name.strip()]


def load_settings() -> Settings:
    """Read the settings from the environment.

    On a wrong value it prints one line that names the setting, and raises SystemExit
    with uvicorn's own status for a failed start, on which `--workers` stops as well.
    """
    try:
        return Settings()
    except ValidationError as exc:
        errors = [
            f"{e['loc'][0]!s}".upper() + ": " + e["msg"].removeprefix("Value error, ")
            for e in exc.errors()
        ]
        # In one piece: other workers write theirs at the same moment.
        sys.stderr.write(f"peewee_app cannot start. {'; '.join(errors)}\n")
        raise SystemExit(3) from None


def log_settings(settings: Settings) -> None:
    """Log the database, and warn of one that each worker has for itself."""
    url = settings.database_url.get_secret_value()
    logger.info("Database: %s", without_password(url))
    if is_in_memory(url) and parent_process():
        logger.warning(IN_MEMORY)
