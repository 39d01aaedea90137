"""Rows that are made, changed and deleted."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Writing")


@row("Insert an object")
def _(session: sa.Session) -> object:
    item = sa.Item(title="Qux", owner_id=1)
    session.add(item)
    session.commit()
    return item.id


@row.peewee
def _() -> object:
    item = pw.Item.create(title="Qux", owner=1)
    return item.id


@row("Insert, by a statement")
def _(session: sa.Session) -> object:
    query = sa.insert(sa.Item).values(title="Qux", owner_id=1)
    return session.scalar(query.returning(sa.Item.id))


@row.peewee
def _() -> object:
    return pw.Item.insert(title="Qux", owner=1).execute()


@row("Insert many rows")
def _(session: sa.Session) -> object:
    rows = [{"name": "a"}, {"name": "b"}]
    session.execute(sa.insert(sa.Tag), rows)
    return session.scalars(sa.select(sa.Tag.name)).all()


@row.peewee
def _() -> object:
    rows = [{"name": "a"}, {"name": "b"}]
    pw.Tag.insert_many(rows).execute()
    return list(pw.Tag.select(pw.Tag.name).scalars())


@row(
    "Insert many objects",
    "SQLAlchemy sets the keys. Peewee does so where the database has `RETURNING`: on "
    "PostgreSQL, and on SQLite if `returning_clause` is switched on.",
)
def _(session: sa.Session) -> object:
    tags = [sa.Tag(name="a"), sa.Tag(name="b")]
    session.add_all(tags)
    session.commit()
    return session.scalars(sa.select(sa.Tag.name)).all()


@row.peewee
def _() -> object:
    tags = [pw.Tag(name="a"), pw.Tag(name="b")]
    pw.Tag.bulk_create(tags, batch_size=100)
    return list(pw.Tag.select(pw.Tag.name).scalars())


@row("Insert parent and children together")
def _(session: sa.Session) -> object:
    user = sa.User(
        email="x@example.com", items=[sa.Item(title="X")]
    )
    session.add(user)
    session.commit()
    return [item.title for item in user.items]


@row.peewee
def _() -> object:
    with pw.db.atomic():
        user = pw.User.create(email="x@example.com")
        pw.Item.create(title="X", owner=user)
    return [item.title for item in user.items]


@row("Insert from a query")
def _(session: sa.Session) -> object:
    titles = sa.select(sa.Item.title)
    session.execute(
        sa.insert(sa.Tag).from_select(["name"], titles)
    )
    return session.scalars(sa.select(sa.Tag.name)).all()


@row.peewee
def _() -> object:
    titles = pw.Item.select(pw.Item.title)
    pw.Tag.insert_from(titles, [pw.Tag.name]).execute()
    return list(pw.Tag.select(pw.Tag.name).scalars())


@row(
    "Insert, or update what is there",
    "SQLAlchemy's `insert` for this belongs to a dialect: import the one of your engine.",
)
def _(session: sa.Session) -> object:
    query = sa.dialect_insert(sa.User).values(
        email="deadpool@example.com", is_active=False
    )
    query = query.on_conflict_do_update(
        index_elements=[sa.User.email],
        set_={"is_active": query.excluded.is_active},
    )
    session.execute(query)
    return session.get_one(sa.User, 1).is_active


@row.peewee
def _() -> object:
    query = pw.User.insert(
        email="deadpool@example.com", is_active=False
    )
    query.on_conflict(
        conflict_target=[pw.User.email],
        preserve=[pw.User.is_active],
    ).execute()
    return pw.User.get_by_id(1).is_active


@row("Insert, unless it is there")
def _(session: sa.Session) -> object:
    query = sa.dialect_insert(sa.Tag).values(name="new")
    session.execute(query.on_conflict_do_nothing())
    return session.scalar(sa.select(sa.func.count(sa.Tag.id)))


@row.peewee
def _() -> object:
    pw.Tag.insert(name="new").on_conflict_ignore().execute()
    return pw.Tag.select().count()


@row("Get, or create")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Tag).filter_by(name="new")
    tag = session.scalars(query).one_or_none()
    created = tag is None
    if tag is None:
        tag = sa.Tag(name="new")
        session.add(tag)
    return tag, created


@row.peewee
def _() -> object:
    return pw.Tag.get_or_create(name="new")


@row("Insert, and return what the database made of it")
def _(session: sa.Session) -> object:
    query = sa.insert(sa.Tag).values(name="a")
    query = query.returning(sa.Tag.id, sa.Tag.name)
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = pw.Tag.insert(name="a").returning(
        pw.Tag.id, pw.Tag.name
    )
    return list(query.tuples().execute())


@row("Update an object")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    user.is_active = False
    session.commit()
    return session.get_one(sa.User, 1).is_active


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    user.is_active = False
    user.save()
    return pw.User.get_by_id(1).is_active


@row(
    "Write only the columns that changed",
    "SQLAlchemy always does. Peewee writes all columns, unless it is told which, or the "
    "model has `only_save_dirty = True`. Told of none, `save(only=[])` raises "
    "`ValueError`: so ask first.",
)
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    user.is_active = False
    session.commit()
    return session.get_one(sa.User, 1).is_active


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    user.is_active = False
    if user.is_dirty():
        user.save(only=user.dirty_fields)
    return pw.User.get_by_id(1).is_active


@row("Update by key, without reading it")
def _(session: sa.Session) -> object:
    query = sa.update(sa.User).where(sa.User.id == 1)
    session.execute(query.values(is_active=False))
    return session.get_one(sa.User, 1).is_active


@row.peewee
def _() -> object:
    pw.User.set_by_id(1, {"is_active": False})
    return pw.User.get_by_id(1).is_active


@row("Update many rows, by an expression")
def _(session: sa.Session) -> object:
    query = sa.update(sa.Item).values(title=sa.Item.title + "!")
    session.execute(query.where(sa.Item.owner_id == 1))
    titles = sa.select(sa.Item.title).order_by(sa.Item.id)
    return session.scalars(titles).all()


@row.peewee
def _() -> object:
    query = pw.Item.update(title=pw.Item.title.concat("!"))
    query.where(pw.Item.owner == 1).execute()
    titles = pw.Item.select(pw.Item.title).order_by(pw.Item.id)
    return list(titles.scalars())


@row("How many rows were changed")
def _(session: sa.Session) -> object:
    query = sa.update(sa.Item).values(title="X")
    result = session.execute(query.where(sa.Item.owner_id == 1))
    return result.rowcount  # type: ignore[attr-defined]


@row.peewee
def _() -> object:
    query = pw.Item.update(title="X").where(pw.Item.owner == 1)
    return query.execute()


@row("Update, and return the rows")
def _(session: sa.Session) -> object:
    query = sa.update(sa.Item).where(sa.Item.owner_id == 1)
    query = query.values(title="X").returning(
        sa.Item.id, sa.Item.title
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.update(title="X").where(pw.Item.owner == 1)
    query = query.returning(pw.Item.id, pw.Item.title)
    return list(query.tuples().execute())


@row("Update many objects, each by its key")
def _(session: sa.Session) -> object:
    rows = [{"id": 1, "title": "A"}, {"id": 2, "title": "B"}]
    session.execute(sa.update(sa.Item), rows)
    titles = sa.select(sa.Item.title).order_by(sa.Item.id)
    return session.scalars(titles).all()


@row.peewee
def _() -> object:
    items = [pw.Item(id=1, title="A"), pw.Item(id=2, title="B")]
    pw.Item.bulk_update(items, fields=[pw.Item.title])
    titles = pw.Item.select(pw.Item.title).order_by(pw.Item.id)
    return list(titles.scalars())


@row("Delete an object")
def _(session: sa.Session) -> object:
    session.delete(session.get_one(sa.Item, 3))
    session.commit()
    return session.get(sa.Item, 3)


@row.peewee
def _() -> object:
    pw.Item.get_by_id(2).delete_instance()
    return pw.Item.get_or_none(2)


@row("Delete many rows")
def _(session: sa.Session) -> object:
    query = sa.delete(sa.Document).where(sa.Document.id > 1)
    return session.execute(query).rowcount  # type: ignore[attr-defined]


@row.peewee
def _() -> object:
    query = pw.Document.delete().where(pw.Document.id > 1)
    return query.execute()


@row(
    "Delete with the children",
    'In SQLAlchemy `cascade="all, delete-orphan"` of the relationship does it. In both '
    "the foreign key's `ON DELETE CASCADE` can do it instead, in the database.",
)
def _(session: sa.Session) -> object:
    session.delete(session.get_one(sa.User, 1))
    session.commit()
    return session.scalars(sa.select(sa.Item)).all()


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    with pw.db.atomic():
        user.delete_instance(recursive=True)
    return list(pw.Item.select())


@row(
    "A unique index says no",
    "After it, a SQLAlchemy session has to be rolled back. In Peewee the statement alone "
    "has failed; inside `atomic()` the transaction, on PostgreSQL.",
)
def _(session: sa.Session) -> object:
    session.add(sa.Tag(name="new"))
    try:
        session.commit()
        answer = "It is new"
    except sa.IntegrityError:
        session.rollback()
        answer = "It is taken"
    return answer


@row.peewee
def _() -> object:
    try:
        pw.Tag.create(name="new")
        answer = "It is new"
    except pw.IntegrityError:
        answer = "It is taken"
    return answer
