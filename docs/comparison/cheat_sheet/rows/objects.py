"""Objects and the database: where the two differ most."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Objects and the database")


@row(
    "Who talks to the database",
    "In SQLAlchemy a session, which is passed around. In Peewee the model, which is bound "
    "to a database; that has one connection for each thread.",
)
def _() -> object:
    engine = sa.create_engine("sqlite://")
    with sa.Session(engine) as session:
        one = session.scalar(sa.text("SELECT 1"))
    engine.dispose()
    return one


@row.peewee
def _() -> object:
    database = pw.SqliteDatabase(":memory:")
    with database.connection_context():
        return database.execute_sql("SELECT 1").fetchone()[0]


@row(
    "The same row, read twice",
    "SQLAlchemy's session has an identity map: one object for one row. Peewee makes a new "
    "object each time; they are equal, since their keys are.",
    differs=True,
)
def _(session: sa.Session) -> object:
    one = session.get(sa.User, 1)
    two = session.scalars(sa.select(sa.User)).first()
    return one is two, one == two


@row.peewee
def _() -> object:
    one = pw.User.get_by_id(1)
    two = pw.User.select().first()
    return one is two, one == two


@row(
    "What is changed, and when it is written",
    "SQLAlchemy's session is a unit of work: it writes what was changed before it next "
    "queries, and at the commit. Peewee writes when `save()` is called.",
    differs=True,
)
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    user.is_active = False
    query = sa.select(sa.User.id).where(sa.User.is_active)
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    user.is_active = False
    query = pw.User.select(pw.User.id).where(pw.User.is_active)
    return list(query.scalars())


@row("What has changed since it was read")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    user.email = "wade@example.com"
    state = sa.inspect(user)
    return [
        a.key for a in state.attrs if a.history.has_changes()
    ]


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    user.email = "wade@example.com"
    return user.dirty_field_names


@row("Read it again")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    session.execute(
        sa.update(sa.User)
        .values(email="x@example.com")
        .where(sa.User.id == 1),
        execution_options={"synchronize_session": False},
    )
    session.refresh(user)
    return user.email


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    pw.User.update(email="x@example.com").where(
        pw.User.id == 1
    ).execute()
    user = user.get_by_id(user.id)
    return user.email


@row(
    "After a commit",
    "SQLAlchemy forgets what it has read, and reads it again when it is asked for, unless "
    "the session has `expire_on_commit=False`. A Peewee object stays as it is.",
    differs=True,
)
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    session.commit()
    return "email" in sa.inspect(user).dict


@row.peewee
def _() -> object:
    with pw.db.atomic():
        user = pw.User.get_by_id(1)
    return "email" in user.__data__


@row(
    "A relation, after the session or the transaction",
    "SQLAlchemy's object is detached, and must not load more. Peewee's asks the database "
    "again, on whatever connection there is then.",
    differs=True,
)
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    session.close()
    return item.owner


@row.peewee
def _() -> object:
    with pw.db.atomic():
        item = pw.Item.get_by_id(1)
    return item.owner


@row("The other side of a relation, before anything is written")
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 3)
    item = sa.Item(title="X")
    user.items.append(item)
    return item.owner is user


row.peewee_has(
    "Nothing to keep in step: `user.items` is a query. `Item(owner=user)` sets the key, "
    "and the query finds the item once it is saved."
)


@row("A copy, as a new row")
def _(session: sa.Session) -> object:
    item = session.get_one(sa.Item, 1)
    session.expunge(item)
    sa.make_transient(item)
    item.id = None  # type: ignore[assignment]
    session.add(item)
    session.commit()
    return item.id, item.title


@row.peewee
def _() -> object:
    item = pw.Item.get_by_id(1)
    item.id = None  # type: ignore[assignment]
    item.save()
    return item.id, item.title
