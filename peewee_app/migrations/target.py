"""The database that the settings name, for `pwmigrate`: .pwmigrate tells it."""

from ..fastapi_peewee import connector
from ..settings import load_settings

database = connector(load_settings().database_url.get_secret_value())(limited=False)
