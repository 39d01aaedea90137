"""From a row to those that belong to it."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Relations")


@row("The parent, by one query when it is asked for")
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    return item.owner.email


@row.peewee
def _() -> object:
    item = pw.Item.get_by_id(1)
    return item.owner.email


@row(
    "The children, by one query when they are asked for",
    "In SQLAlchemy `user.items` is a list, read once. In Peewee it is a query, run each "
    "time, which takes `where` and `order_by`.",
)
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    return [item.title for item in user.items]


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    return [item.title for item in user.items]


@row("Some of the children")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    query = sa.select(sa.Item).where(
        sa.with_parent(user, sa.User.items), sa.Item.title > "C"
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    return list(user.items.where(pw.Item.title > "C"))


@row("The key of the parent, without a query")
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    return item.owner_id


@row.peewee
def _() -> object:
    item = pw.Item.get_by_id(1)
    return item.owner_id


@row("Parents, by a join")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).options(
        sa.joinedload(sa.Item.owner)
    )
    return [item.owner.email for item in session.scalars(query)]


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item, pw.User).join(pw.User)
    return [item.owner.email for item in query]


@row("Children, by a second query")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).options(
        sa.selectinload(sa.User.items)
    )
    return [len(user.items) for user in session.scalars(query)]


@row.peewee
def _() -> object:
    query = pw.User.select().with_related(pw.User.items)
    return [len(user.items) for user in query]


@row("Children, by a join")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).options(
        sa.joinedload(sa.User.items)
    )
    users = session.scalars(query).unique()
    return [len(user.items) for user in users]


row.peewee_has(
    "Nothing: a join to many gives the parent once for each child. Use the second query, "
    "which is usually faster as well."
)


@row("Some children, by a second query")
def _(session: sa.Session) -> object:
    some = sa.User.items.and_(sa.Item.title > "C")
    query = sa.select(sa.User).options(sa.selectinload(some))
    return [len(user.items) for user in session.scalars(query)]


@row.peewee
def _() -> object:
    some = pw.Item.select().where(pw.Item.title > "C")
    query = pw.User.select().with_related(
        pw.Load(pw.User.items, some)
    )
    return [len(user.items) for user in query]


row.sqlalchemy_has(
    "At most so many children of each parent",
    "Nothing of its own: a relationship to an alias of a subquery with `row_number()`.",
)


@row.peewee
def _() -> object:
    first = pw.Load(pw.User.items, per_parent=1)
    query = pw.User.select().with_related(first)
    return [len(user.items) for user in query]


@row("Children of children, and parents of those")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).options(
        sa.selectinload(sa.User.items).selectinload(
            sa.Item.owner
        )
    )
    user = session.scalars(query).first()
    assert user
    return [item.owner.email for item in user.items]


@row.peewee
def _() -> object:
    query = pw.User.select().with_related(
        pw.Load(pw.User.items).then(pw.Item.owner)
    )
    user = query.first()
    return [item.owner.email for item in user.items]


@row("An error in place of a query")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).options(
        sa.raiseload(sa.User.items)
    )
    user = session.scalars(query).first()
    assert user
    return user.items


row.peewee_has(
    "Nothing per query. `ForeignKeyField(lazy_load=False)` makes `item.owner` the key, for "
    "all queries; `count_queries` in a test finds the rest."
)


@row("Those that have some child")
def _(session: sa.Session) -> object:
    bar = sa.User.items.any(sa.Item.title == "Bar")
    return session.scalars(sa.select(sa.User).where(bar)).all()


@row.peewee
def _() -> object:
    bar = pw.Item.select(pw.Item.owner).where(
        pw.Item.title == "Bar"
    )
    return list(pw.User.select().where(pw.User.id.in_(bar)))


@row("Filter by an object")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 2)
    query = sa.select(sa.Item).where(sa.Item.owner == user)
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(2)
    query = pw.Item.select().where(pw.Item.owner == user)
    return list(query)


@row("Many to many")
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    return sorted(tag.name for tag in item.tags)


@row.peewee
def _() -> object:
    item = pw.Item.get_by_id(1)
    return sorted(tag.name for tag in item.tags)


@row("Many to many: filter")
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.Item)
        .join(sa.Item.tags)
        .where(sa.Tag.name == "new")
        .order_by(sa.Item.id)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = (
        pw.Item.select()
        .join(pw.Item.tags.get_through_model())
        .join(pw.Tag)
        .where(pw.Tag.name == "new")
        .order_by(pw.Item.id)
    )
    return list(query)


@row("Many to many: add, remove")
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    new, rare = session.scalars(
        sa.select(sa.Tag).order_by(sa.Tag.id)
    )
    item.tags.remove(rare)
    other = session.get_one(sa.Item, 2)
    other.tags.append(rare)
    session.commit()
    return [len(tag.items) for tag in (new, rare)]


@row.peewee
def _() -> object:
    item = pw.Item.get_by_id(1)
    new, rare = pw.Tag.select().order_by(pw.Tag.id)
    item.tags.remove(rare)
    pw.Item.get_by_id(2).tags.add(rare)
    return [len(tag.items) for tag in (new, rare)]


@row(
    "Many to many: all items with their tags, in few queries",
    "Peewee's `item.tags` is a query each time. What can be read for all items at once "
    "are the rows between, with the tag of each.",
)
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).options(
        sa.selectinload(sa.Item.tags)
    )
    return [len(item.tags) for item in session.scalars(query)]


@row.peewee
def _() -> object:
    link = pw.Item.tags.get_through_model()
    tags = pw.Load(pw.Item.itemtagthrough_set).then(link.tag)
    query = pw.Item.select().with_related(tags)
    return [len(item.itemtagthrough_set) for item in query]
