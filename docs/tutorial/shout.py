"""A script on the app's models: the titles of all items in capitals."""

from peewee import fn

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect
from peewee_app.models import Item

with connect(db, "sqlite:///./sql_app.db"), db.atomic():
    changed = Item.update(title=fn.UPPER(Item.title)).execute()
    print(f"{changed} changed")
