"""Every query of the app. Models carry their database, so none is passed around.

One user or item is a model instance. A page of them is rows, ready to become JSON: to
make instances costs several times as much, and they would be read only once.
"""

from collections import defaultdict

from . import schemas
from .database import db
from .models import Item, User
from .statement import GIVEN, Row, Statement

# What a page shows: the password hash stays in the database.
USER_COLUMNS = (User.email, User.id, User.is_active)
ITEM_COLUMNS = (Item.title, Item.description, Item.id, Item.owner)

USER_BY_ID = Statement(User.select().where(User.id == GIVEN))
ITEMS_OF_USER = Statement(Item.select().where(Item.owner == GIVEN).order_by(Item.id))
USERS_PAGE = User.select(*USER_COLUMNS).order_by(User.id).limit(GIVEN).offset(GIVEN)
USERS = Statement(USERS_PAGE)
USERS_AFTER = Statement(USERS_PAGE.where(User.id > GIVEN))
ITEMS_PAGE = Item.select(*ITEM_COLUMNS).order_by(Item.id).limit(GIVEN).offset(GIVEN)
ITEMS = Statement(ITEMS_PAGE)
ITEMS_AFTER = Statement(ITEMS_PAGE.where(Item.id > GIVEN))
ITEMS_OF_USERS = Statement(
    Item.select(*ITEM_COLUMNS)
    .where(Item.owner.between(GIVEN, GIVEN))
    .order_by(Item.owner, Item.id)
)


def get_user(user_id: int) -> User | None:
    """The user, with the items loaded, or None."""
    for user in USER_BY_ID.objects(user_id):
        user.items = ITEMS_OF_USER.objects(user_id)
        return user
    return None


def get_user_by_email(email: str) -> User | None:
    """The user with exactly this email, or None."""
    return User.get_or_none(User.email == email)


def get_users(skip: int = 0, limit: int = 100, after: int | None = None) -> list[Row]:
    """At most `limit` users, ordered by id, from the one at position `skip` on.

    With `after`, only users with a greater id are looked at. Each has the list of its
    `items`. That is two queries, for any number of users.
    """
    if after is None:
        users = USERS.rows(limit, skip)
    else:
        users = USERS_AFTER.rows(after, limit, skip)
    if not users:
        return []
    items: defaultdict[int, list[Row]] = defaultdict(list)
    # The page has every user between its first and its last.
    for item in ITEMS_OF_USERS.rows(users[0]["id"], users[-1]["id"]):
        items[item["owner_id"]].append(item)
    for user in users:
        user["is_active"] = bool(user["is_active"])  # SQLite and MySQL have numbers.
        user["items"] = items[user["id"]]
    return users


def create_user(user: schemas.UserCreate) -> User:
    """The new user. Raises Peewee's IntegrityError if the email is taken."""
    return User.create(email=user.email, hashed_password=user.hashed_password)


def update_user(user_id: int, user: schemas.UserUpdate) -> User | None:
    """The user, with the fields that are set in `user` changed, or None.

    The statement names those fields only, so that updates of other fields that run at
    the same time stand. Raises Peewee's IntegrityError if the email is taken.
    """
    changes = user.model_dump(exclude_unset=True)
    if "password" in changes:
        del changes["password"]
        changes["hashed_password"] = user.hashed_password
    if changes:
        User.update(changes).where(User.id == user_id).execute()
    return get_user(user_id)


def delete_user(user_id: int) -> bool:
    """Delete the user with all items, or nothing; False if there is no such user."""
    with db.atomic():
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


def get_item(item_id: int) -> Item | None:
    """The item, or None."""
    return Item.get_or_none(Item.id == item_id)


def get_items(skip: int = 0, limit: int = 100, after: int | None = None) -> list[Row]:
    """At most `limit` items, ordered by id, from the one at position `skip` on.

    With `after`, only items with a greater id are looked at.
    """
    if after is None:
        return ITEMS.rows(limit, skip)
    return ITEMS_AFTER.rows(after, limit, skip)


def get_start_of_page_before(
    model: type[User | Item], after: int | None, limit: int
) -> int | None:
    """The id after which the page of `limit` rows starts that ends with `after`.

    None if that page starts with the first row, or `after` is None.
    """
    if after is None:
        return None
    ids = model.select(model.id).where(model.id <= after)
    row = ids.order_by(model.id.desc()).offset(limit).first()
    return row.id if row else None


def create_user_item(item: schemas.ItemCreate, user_id: int) -> Item:
    """The new item. Raises Peewee's IntegrityError if there is no such user."""
    return Item.create(**item.model_dump(), owner=user_id)


def update_item(item_id: int, item: schemas.ItemUpdate) -> Item | None:
    """The item, with the fields that are set in `item` changed, or None."""
    changes = item.model_dump(exclude_unset=True)
    if changes:
        Item.update(changes).where(Item.id == item_id).execute()
    return get_item(item_id)


def delete_item(item_id: int) -> bool:
    """Delete the item; False if there is no such item."""
    return bool(Item.delete().where(Item.id == item_id).execute())
