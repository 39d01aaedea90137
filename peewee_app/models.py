"""Tables, as the SQLAlchemy tutorial has them."""

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
    """Base of the models, bound to `db`, the connection of the scope."""

    class Meta:
        database = db


class User(BaseModel):
    """A user; `user.items` is the backref of `Item.owner`."""

    id = AutoField()
    email = CharField(unique=True)
    hashed_password = CharField()
    is_active = BooleanField(default=True)
    items: BackrefAccessor

    class Meta:
        table_name = "users"


class Item(BaseModel):
    """An item; `item.owner_id` is the raw key, `item.owner` the user, by one query."""

    id = AutoField()
    title = CharField(index=True)
    description = CharField(index=True, null=True)
    owner = ForeignKeyField(User, backref="items")
    owner_id: int

    class Meta:
        table_name = "items"
