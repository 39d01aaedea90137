"""Every query of the app. Models carry their database, so none is passed around.

`prepared` keeps the SQL that Peewee builds for a query, and `prepared_first` also takes
its first row. The function is plain Peewee either way.
"""

from peewee import Load, ModelSelect

from . import schemas
from .database import db
from .fastapi_peewee import prepared, prepared_first
from .models import Item, User


@prepared_first
def get_user(user_id: int) -> "ModelSelect[User]":
    """The user, or None."""
    return User.select().where(User.id == user_id)


@prepared_first
def get_user_by_email(email: str) -> "ModelSelect[User]":
    """The user with exactly this email, or None."""
    return User.select().where(User.email == email)


@prepared
def get_users(skip: int = 0, limit: int = 100) -> "ModelSelect[User]":
    """Return `limit` users in the order of their ids, without the first `skip`."""
    return User.select().order_by(User.id).offset(skip).limit(limit)


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


@db.atomic()
def update_user(user_id: int, user: schemas.UserUpdate) -> User | None:
    """The user, with the fields that are set in `user` changed, or None.

    The statement names those fields only, so that updates of other fields that run at
    the same time stand. The items are loaded too, before others can delete them with
    the user. Raises Peewee's IntegrityError if the email is taken.
    """
    changes = user.model_dump(exclude_unset=True)
    if changes.pop("password", None):
        changes["hashed_password"] = user.hashed_password
    # The update locks the user, also where there is nothing to change.
    User.update(changes or {"id": user_id}).where(User.id == user_id).execute()
    items = Load(User.items, Item.select().order_by(Item.id))
    users = User.select().where(User.id == user_id).with_related(items)
    return next(iter(users), None)


@db.atomic()
def delete_user(user_id: int) -> bool:
    """Delete the user with all items, or nothing; False if there is no such user."""
    users = User.select(User.id).where(User.id == user_id)
    # Lets nobody add an item before the user is gone. On SQLite, which has no row
    # locks, the transaction does.
    if db.for_update:
        users = users.for_update()
    if users.get_or_none() is None:
        return False
    Item.delete().where(Item.owner == user_id).execute()
    User.delete().where(User.id == user_id).execute()
    return True


@prepared_first
def get_item(item_id: int) -> "ModelSelect[Item]":
    """The item, or None."""
    return Item.select().where(Item.id == item_id)


@prepared
def get_items(
    skip: int = 0, limit: int = 100, owner_id: int | None = None
) -> "ModelSelect[Item]":
    """Return `limit` items in the order of their ids, without the first `skip`.

    With `owner_id`, only those of one user.
    """
    items = Item.select().order_by(Item.id).offset(skip).limit(limit)
    return items if owner_id is None else items.where(Item.owner == owner_id)


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)


@db.atomic()
def update_item(item_id: int, item: schemas.ItemUpdate) -> Item | None:
    """The item, with the fields that are set in `item` changed, or None."""
    changes = item.model_dump(exclude_unset=True)
    if changes:
        Item.update(changes).where(Item.id == item_id).execute()
    return get_item(item_id)


def delete_item(item_id: int) -> bool:
    """Delete the item; False if there is no such item."""
    return bool(Item.delete().where(Item.id == item_id).execute())
