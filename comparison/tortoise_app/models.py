"""Tables."""

from tortoise import fields
from tortoise.models import Model


class User(Model):
    """A user; `user.items` is to be fetched before it is looked at."""

    id = fields.IntField(primary_key=True)
    email = fields.CharField(max_length=255, unique=True)
    hashed_password = fields.CharField(max_length=255)
    is_active = fields.BooleanField(default=True)

    items: fields.ReverseRelation["Item"]

    class Meta:
        table = "users"


class Item(Model):
    """An item; `item.owner_id` is the raw key."""

    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=255, db_index=True)
    description = fields.CharField(max_length=255, null=True, db_index=True)
    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="items", db_index=True
    )

    class Meta:
        table = "items"
