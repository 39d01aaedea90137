"""What other ways to answer a request cost: `python -m comparison.alternatives`.

Each way runs in this process, on a SQLite file of 1,000 users with 5 items each, from
the query to the JSON. The figures are milliseconds of CPU time, the best of several
runs: the ways take turns, so that a busy machine is no worse for one than for another.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from peewee import PREFETCH_TYPE, Load, prefetch
from pydantic import TypeAdapter
from pydantic_core import to_json

from peewee_app import crud, schemas
from peewee_app.database import Pool, db
from peewee_app.migrations import migrate
from peewee_app.models import Item, User
from peewee_app.statement import GIVEN, Statement, Values

ROUNDS = 30
RUNS = 5

USER = TypeAdapter(schemas.User)
USERS = TypeAdapter(list[schemas.User])

Ways = dict[str, Callable[[], object]]


def fill(pool: Pool) -> None:
    """Create the tables with 1,000 users and 5 items each."""
    migrate(pool)
    with pool.connection(), db.atomic():
        for n in range(1, 1001):
            user = User.create(email=f"user{n}@example.com", hashed_password="x" * 97)
            for k in range(5):
                Item.create(title=f"Item {k}", description="Something", owner=user)


def instances_with(load: Load) -> bytes:
    """A page of users as instances, with their items loaded eagerly."""
    users = User.select().order_by(User.id).limit(100).with_related(load)
    return USERS.dump_json(USERS.validate_python(list(users)))


def instances_prefetched() -> bytes:
    """The same through prefetch()."""
    users = User.select().order_by(User.id).limit(100)
    return USERS.dump_json(USERS.validate_python(prefetch(users, Item.select())))


def instances_lazily() -> bytes:
    """The same with a query for the items of each user."""
    users = User.select().order_by(User.id).limit(100)
    return USERS.dump_json(USERS.validate_python(list(users)))


def rows_validated() -> bytes:
    """What the app does, and then the schema's check of each row."""
    return USERS.dump_json(USERS.validate_python(crud.get_users()))


ITEMS_OF = Statement(Item.select().where(Item.owner.in_([GIVEN] * 100)))


def rows_by_list_of_ids(built_once: bool) -> bytes:
    """Rows, with the items found by the ids of all users."""
    users = {
        id_: {"email": email, "id": id_, "is_active": bool(active), "items": []}
        for id_, email, active in crud.USERS.rows(100, 0)
    }
    ids = list(users)
    if built_once:
        items = ITEMS_OF.rows(*ids)
    else:
        items = db.execute(Item.select().where(Item.owner.in_(ids))).fetchall()
    for id_, title, description, owner in items:
        users[owner]["items"].append(
            {"title": title, "description": description, "id": id_, "owner_id": owner}
        )
    return to_json(list(users.values()))


def by_name(names: tuple[str, ...], rows: list[Values]) -> list[crud.Row]:
    """The rows as dicts, without naming each value."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def rows_by_name() -> bytes:
    """What the app does, for any columns."""
    users = by_name(("id", "email", "is_active"), crud.USERS.rows(100, 0))
    names = ("id", "title", "description", "owner_id")
    items: defaultdict[int, list[crud.Row]] = defaultdict(list)
    for item in by_name(names, crud.ITEMS_OF_USERS.rows(1, 100)):
        items[item["owner_id"]].append(item)
    for user in users:
        user["is_active"] = bool(user["is_active"])
        user["items"] = items[user["id"]]
    return to_json(users)


JSON_OF_PAGE = """
SELECT json_group_array(json_object(
    'email', email, 'id', id, 'is_active', json(iif(is_active, 'true', 'false')),
    'items', json((
        SELECT json_group_array(json_object(
            'title', title, 'description', description, 'id', id, 'owner_id', owner_id))
        FROM items WHERE owner_id = page.id))))
FROM (SELECT * FROM users ORDER BY id LIMIT 100) AS page
"""


def json_by_sqlite() -> str:
    """The whole answer made by SQLite."""
    ((answer,),) = db.execute_sql(JSON_OF_PAGE).fetchall()
    return str(answer)


def user_as_instance() -> bytes:
    """One user as an instance, by queries that Peewee builds each time."""
    return USER.dump_json(USER.validate_python(User.get_or_none(User.id == 7)))


def user_as_rows() -> bytes:
    """The same as rows."""
    user = User.select(User.email, User.id, User.is_active).where(User.id == 7)
    items = Item.select().where(Item.owner == 7).order_by(Item.id)
    return to_json([user.dicts().get(), list(items.dicts())])


numbers = count()


def item_created() -> object:
    """An item as the app creates it."""
    return crud.create_user_item(schemas.ItemCreate(title=f"{next(numbers)}"), 7)


def item_built_each_time() -> object:
    """An item by an INSERT that Peewee builds each time."""
    return Item.create(title=f"{next(numbers)}", description=None, owner=7)


TABLES: dict[str, Ways] = {
    "100 users with their items": {
        "the app: rows, statements built once": lambda: to_json(crud.get_users()),
        "the same, checked by the schema": rows_validated,
        "the same, dicts made by name": rows_by_name,
        "rows, items by a list of ids": partial(rows_by_list_of_ids, True),
        "the same, built each time": partial(rows_by_list_of_ids, False),
        "instances, with_related": lambda: instances_with(Load(User.items)),
        "the same, by a list of ids": lambda: instances_with(
            Load(User.items, strategy=PREFETCH_TYPE.MATERIALIZE)
        ),
        "instances, prefetch()": instances_prefetched,
        "instances, a query for each user": instances_lazily,
        "JSON made by SQLite": json_by_sqlite,
    },
    "One user": {
        "the app: rows, statements built once": lambda: to_json(crud.get_user(7)),
        "rows, built each time": user_as_rows,
        "an instance, built each time": user_as_instance,
    },
    "Create an item": {
        "the app: an INSERT built once": item_created,
        "Item.create": item_built_each_time,
    },
}


def milliseconds(way: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    for _ in range(RUNS):
        way()
    return (time.process_time() - start) / RUNS * 1000


def measure(ways: Ways) -> dict[str, float]:
    """The least CPU time of each way, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(milliseconds(way))
    return {name: min(times[name]) for name in ways}


def main() -> None:
    """Measure, and print a Markdown table for each kind of request."""
    with TemporaryDirectory() as folder:
        pool = Pool(f"sqlite:///{Path(folder)}/data.db", size=1, timeout=1)
        fill(pool)
        with pool.connection():
            for title, ways in TABLES.items():
                best = measure(ways)
                app = next(iter(best.values()))
                print(f"| {title} | CPU, ms | times the app's |\n| --- | ---: | ---: |")
                for name, value in best.items():
                    print(f"| {name} | {value:.3f} | {value / app:.2f} |")
                print()
        pool.close()


if __name__ == "__main__":
    main()
