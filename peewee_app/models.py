"""The tables, as the SQLAlchemy tutorial has them, down to the names of the indexes."""

from peewee import (
    AutoField,
    BackrefAccessor,
    BooleanField,
    CharField,
    ForeignKeyField,
    Model,
)

from .database import db


class BaseModel(Model):
    """Binds a model to `db`, the connection of whatever scope it is used in."""

    class Meta:
        database = db


class User(BaseModel):
    """A user; `user.items` is the backref of `Item.owner`."""

    id = AutoField()
    email = CharField()
    hashed_password = CharField()
    is_active = BooleanField(default=True)
    items: BackrefAccessor

    class Meta:
        table_name = "users"


class Item(BaseModel):
    """An item; `item.owner_id` is the raw key, `item.owner` the user, by one query."""

    id = AutoField()
    title = CharField()
    description = CharField(null=True)
    owner = ForeignKeyField(User, backref="items", index=False)
    owner_id: int

    class Meta:
        table_name = "items"


# SQLAlchemy names an index ix_<table>_<column>. With the same names, a database that
# the tutorial's app made keeps its indexes, and gains the one on owner_id.
User.add_index(User.email, unique=True, name="ix_users_email")
Item.add_index(Item.title, name="ix_items_title")
Item.add_index(Item.description, name="ix_items_description")
Item.add_index(Item.owner, name="ix_items_owner_id")
