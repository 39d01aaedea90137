"""For `pwmigrate peewee_app.migrations.database.database`: what the settings name."""

from ..fastapi_peewee import connector
from ..settings import load_settings

database = connector(load_settings().database_url.get_secret_value())(limited=False)
