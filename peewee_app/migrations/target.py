"""Database of the settings, for `pwmigrate`, whose .pwmigrate names this module."""

from ..fastapi_peewee import connector
from ..settings import load_settings

database = connector(load_settings().database_url.get_secret_value())(limited=False)
