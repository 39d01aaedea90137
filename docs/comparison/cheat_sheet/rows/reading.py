"""One row or many, filtered and in order."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Reading")


@row("By key, or None")
def _(session: sa.Session) -> object:
    return session.get(sa.User, 1), session.get(sa.User, 9)


@row.peewee
def _() -> object:
    return pw.User.get_or_none(1), pw.User.get_or_none(9)


@row(
    "By key, or an error",
    "Each has its own error: Peewee's is of the model, and a `DoesNotExist`.",
    differs=True,
)
def _(session: sa.Session) -> object:
    return session.get_one(sa.User, 9)


@row.peewee
def _() -> object:
    return pw.User.get_by_id(9)


@row("By another column, or None")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).where(
        sa.User.email == "deadpool@example.com"
    )
    return session.scalars(query).one_or_none()


@row.peewee
def _() -> object:
    return pw.User.get_or_none(
        pw.User.email == "deadpool@example.com"
    )


@row("The first, or None")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).order_by(sa.Item.title)
    return session.scalars(query.limit(1)).first()


@row.peewee
def _() -> object:
    query = pw.Item.select().order_by(pw.Item.title)
    return query.first()


@row(
    "All",
    "SQLAlchemy executes when the session is told to, Peewee when a query is iterated.",
)
def _(session: sa.Session) -> object:
    return session.scalars(sa.select(sa.User)).all()


@row.peewee
def _() -> object:
    return list(pw.User.select())


@row("All of these conditions")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(
        sa.Item.owner_id == 1, sa.Item.title != "Bar"
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(
        pw.Item.owner == 1, pw.Item.title != "Bar"
    )
    return list(query)


@row("Any of these, and not")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(
        sa.or_(sa.Item.title == "Foo", sa.Item.id > 2),
        sa.not_(sa.Item.owner_id == 1),
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(
        (pw.Item.title == "Foo") | (pw.Item.id > 2),
        ~(pw.Item.owner == 1),
    )
    return list(query)


@row("By keywords")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User).filter_by(is_active=False)
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    return list(pw.User.filter(is_active=False))


@row(
    "By keywords, across a relation and with an operator",
)
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.Item)
        .where(sa.Item.title.ilike("b%"))
        .join(sa.Item.owner)
        .filter_by(email="deadpool@example.com")
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.filter(
        title__ilike="b%",
        owner__email="deadpool@example.com",
    )
    return list(query)


@row("In a list")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(sa.Item.id.in_([1, 3]))
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(pw.Item.id.in_([1, 3]))
    return list(query)


@row("Between")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(sa.Item.id.between(2, 3))
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(pw.Item.id.between(2, 3))
    return list(query)


@row("Null")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(
        sa.Item.description.is_(None)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(
        pw.Item.description.is_null()
    )
    return list(query)


@row(
    "A part of a text",
    "Peewee's `contains` never minds case; SQLAlchemy's `contains` is `LIKE`, which minds "
    "it on PostgreSQL and not on SQLite. Peewee escapes the wildcards of the text, and "
    "SQLAlchemy does with `autoescape`.",
)
def _(session: sa.Session) -> object:
    wrestlers = sa.Item.description.icontains(
        "wrestlers", autoescape=True
    )
    return session.scalars(
        sa.select(sa.Item).where(wrestlers)
    ).all()


@row.peewee
def _() -> object:
    wrestlers = pw.Item.description.contains("wrestlers")
    return list(pw.Item.select().where(wrestlers))


@row(
    "The beginning of a text, in any case",
    "Peewee's `startswith` never minds case, as `contains`.",
)
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(
        sa.Item.title.istartswith("ba", autoescape=True)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(
        pw.Item.title.startswith("ba")
    )
    return list(query)


@row(
    "The beginning of a text, in this case",
    "`LIKE` minds case on PostgreSQL and not on SQLite; a comparison always does.",
)
def _(session: sa.Session) -> object:
    beginning = sa.func.substr(sa.Item.title, 1, 2)
    query = sa.select(sa.Item).where(beginning == "Ba")
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    beginning = pw.fn.SUBSTR(pw.Item.title, 1, 2)
    query = pw.Item.select().where(beginning == "Ba")
    return list(query)


@row("Order")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).order_by(
        sa.Item.owner_id.desc(), sa.Item.title
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().order_by(
        pw.Item.owner.desc(), pw.Item.title
    )
    return list(query)


@row("Order, nulls last")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).order_by(
        sa.Item.description.nulls_last(), sa.Item.id
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().order_by(
        pw.Item.description.asc(nulls="LAST"), pw.Item.id
    )
    return list(query)


@row("Limit and offset")
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.Item)
        .order_by(sa.Item.id)
        .limit(2)
        .offset(1)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = (
        pw.Item.select().order_by(pw.Item.id).limit(2).offset(1)
    )
    return list(query)


@row("A page by its number")
def _(session: sa.Session) -> object:
    page, size = 2, 2
    query = sa.select(sa.Item).order_by(sa.Item.id)
    return session.scalars(
        query.limit(size).offset((page - 1) * size)
    ).all()


@row.peewee
def _() -> object:
    page, size = 2, 2
    query = pw.Item.select().order_by(pw.Item.id)
    return list(query.paginate(page, size))


@row("Some columns, as tuples")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item.title, sa.Item.owner_id)
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item.title, pw.Item.owner)
    return list(query.tuples())


@row("Some columns, as dicts")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item.id, sa.Item.title)
    return session.execute(query).mappings().all()


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item.id, pw.Item.title)
    return list(query.dicts())


@row("Some columns, by attribute")
def _(session: sa.Session) -> object:
    query = sa.select(
        sa.Item.title, sa.Item.owner_id.label("by")
    )
    return [(r.title, r.by) for r in session.execute(query)]


@row.peewee
def _() -> object:
    query = pw.Item.select(
        pw.Item.title, pw.Item.owner.alias("by")
    )
    return [(r.title, r.by) for r in query.namedtuples()]  # type: ignore[attr-defined]


@row("One column, as a list")
def _(session: sa.Session) -> object:
    return session.scalars(sa.select(sa.Item.title)).all()


@row.peewee
def _() -> object:
    return list(pw.Item.select(pw.Item.title).scalars())


@row("One value")
def _(session: sa.Session) -> object:
    return session.scalar(sa.select(sa.func.max(sa.Item.id)))


@row.peewee
def _() -> object:
    return pw.Item.select(pw.fn.MAX(pw.Item.id)).scalar()


@row(
    "Only some columns of an object",
    "What was not read: SQLAlchemy reads it when it is asked for, by one query more. In "
    "Peewee it is `None`, or the field's default.",
    differs=True,
)
def _(session: sa.Session) -> object:
    only = sa.load_only(sa.Item.title)
    item = session.scalars(
        sa.select(sa.Item).options(only)
    ).first()
    assert item
    return item.title, item.description


@row.peewee
def _() -> object:
    item = pw.Item.select(pw.Item.id, pw.Item.title).get()
    return item.title, item.description


@row("Rows without duplicates")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item.owner_id).distinct()
    return session.scalars(
        query.order_by(sa.Item.owner_id)
    ).all()


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item.owner).distinct()
    return list(query.order_by(pw.Item.owner).scalars())


@row("Many rows, without keeping all")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).execution_options(yield_per=100)
    return sum(
        len(item.title) for item in session.scalars(query)
    )


@row.peewee
def _() -> object:
    query = pw.Item.select()
    return sum(len(item.title) for item in query.iterator())
