from peewee import (
    AutoField,
    BackrefAccessor,
    BooleanField,
    CharField,
    ForeignKeyField,
)

from .database import BaseModel


class User(BaseModel):
    id = AutoField()
    email = CharField(unique=True)
    hashed_password = CharField()
    is_active = BooleanField(default=True)
    items: BackrefAccessor

    class Meta:
        table_name = "users"


class Item(BaseModel):
    id = AutoField()
    title = CharField(index=True)
    description = CharField(index=True, null=True)
    owner = ForeignKeyField(User, backref="items")
    owner_id: int

    class Meta:
        table_name = "items"
