"""Every query of the app. Models carry their database, so none is passed around."""

from peewee import PREFETCH_TYPE, Load, ModelSelect

from . import models, schemas
from .database import db


def _select_users() -> "ModelSelect[models.User]":
    """Users by id with their items, in two queries for any number of users."""
    items = models.Item.select().order_by(models.Item.id)
    # MATERIALIZE asks for the items of the very users that the first query found.
    load_items = Load(models.User.items, items, strategy=PREFETCH_TYPE.MATERIALIZE)
    return models.User.select().order_by(models.User.id).with_related(load_items)


def get_user(user_id: int) -> models.User | None:
    """The user, or None."""
    return _select_users().where(models.User.id == user_id).get_or_none()


def get_user_by_email(email: str) -> models.User | None:
    """The user with exactly this email, or None."""
    return _select_users().where(models.User.email == email).get_or_none()


def get_users(
    skip: int = 0, limit: int = 100, after: int | None = None
) -> list[models.User]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    With `after`, only users whose id is greater are looked at.
    """
    users = _select_users()
    if after is not None:
        users = users.where(models.User.id > after)
    return list(users.offset(skip).limit(limit))


def create_user(user: schemas.UserCreate) -> models.User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return models.User.create(email=user.email, hashed_password=user.hashed_password)


def update_user(user_id: int, user: schemas.UserUpdate) -> models.User | None:
    """The user, with the fields that are set in `user` changed, or None.

    The statement names those fields only, so that updates of other fields that run at
    the same time stand. Raises Peewee's IntegrityError if the email is taken.
    """
    changes = user.model_dump(exclude_unset=True)
    if "password" in changes:
        del changes["password"]
        changes["hashed_password"] = user.hashed_password
    if changes:
        models.User.update(changes).where(models.User.id == user_id).execute()
    return get_user(user_id)


def delete_user(user_id: int) -> bool:
    """Delete the user with all items, or nothing; False if there is no such user."""
    with db.atomic():
        users = models.User.select(models.User.id).where(models.User.id == user_id)
        # Lets nobody add an item before the user is gone. On SQLite, which has no row
        # locks, the transaction does.
        if db.for_update:
            users = users.for_update()
        if users.get_or_none() is None:
            return False
        models.Item.delete().where(models.Item.owner == user_id).execute()
        models.User.delete().where(models.User.id == user_id).execute()
        return True


def get_item(item_id: int) -> models.Item | None:
    """The item, or None."""
    return models.Item.get_or_none(models.Item.id == item_id)


def get_items(
    skip: int = 0, limit: int = 100, after: int | None = None
) -> list[models.Item]:
    """At most `limit` items, ordered by id, from the one at position `skip` on.

    With `after`, only items whose id is greater are looked at.
    """
    items = models.Item.select().order_by(models.Item.id)
    if after is not None:
        items = items.where(models.Item.id > after)
    return list(items.offset(skip).limit(limit))


def create_user_item(item: schemas.ItemCreate, user_id: int) -> models.Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return models.Item.create(**item.model_dump(), owner=user_id)


def update_item(item_id: int, item: schemas.ItemUpdate) -> models.Item | None:
    """The item, with the fields that are set in `item` changed, or None."""
    changes = item.model_dump(exclude_unset=True)
    if changes:
        models.Item.update(changes).where(models.Item.id == item_id).execute()
    return get_item(item_id)


def delete_item(item_id: int) -> bool:
    """Delete the item; False if there is no such item."""
    return bool(models.Item.delete().where(models.Item.id == item_id).execute())


def get_start_of_page_before(
    model: type[models.User | models.Item], after: int | None, limit: int
) -> int | None:
    """The id after which the page of `limit` rows starts that ends with `after`.

    None if that page starts with the first row, or `after` is None.
    """
    if after is None:
        return None
    ids = model.select(model.id).where(model.id <= after)
    row = ids.order_by(model.id.desc()).offset(limit).first()
    return row.id if row else None
