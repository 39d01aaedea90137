"""Numbers of rows, joins and groups."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Counting, joining, grouping")


@row("How many")
def _(session: sa.Session) -> object:
    query = sa.select(sa.func.count()).select_from(sa.Item)
    return session.scalar(query)


@row.peewee
def _() -> object:
    return pw.Item.select().count()


@row("Is there any")
def _(session: sa.Session) -> object:
    foo = sa.exists().where(sa.Item.title == "Foo")
    return session.scalar(sa.select(foo))


@row.peewee
def _() -> object:
    foo = pw.Item.select().where(pw.Item.title == "Foo")
    return foo.exists()


@row("Join, and filter by the other table")
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.Item)
        .join(sa.Item.owner)
        .where(sa.User.email == "wolverine@example.com")
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = (
        pw.Item.select()
        .join(pw.User)
        .where(pw.User.email == "wolverine@example.com")
    )
    return list(query)


@row("Columns of both tables")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item.title, sa.User.email).join(
        sa.Item.owner
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item.title, pw.User.email).join(
        pw.User
    )
    return list(query.tuples())


@row("Join on a condition")
def _(session: sa.Session) -> object:
    query = sa.select(sa.User.id, sa.Membership.team).join(
        sa.Membership, sa.Membership.user_id == sa.User.id
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = pw.User.select(pw.User.id, pw.Membership.team).join(
        pw.Membership, on=(pw.Membership.user == pw.User.id)
    )
    return list(query.tuples())


@row("Left join, group by")
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.User.email, sa.func.count(sa.Item.id))
        .outerjoin(sa.User.items)
        .group_by(sa.User.id)
        .order_by(sa.User.id)
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    query = (
        pw.User.select(pw.User.email, pw.fn.COUNT(pw.Item.id))
        .left_outer_join(pw.Item)
        .group_by(pw.User.id)
        .order_by(pw.User.id)
    )
    return list(query.tuples())


@row(
    "A count on each object",
    "Peewee sets what was selected beside the model's columns on the object itself.",
)
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.User, sa.func.count(sa.Item.id))
        .outerjoin(sa.User.items)
        .group_by(sa.User.id)
        .order_by(sa.User.id)
    )
    return [(user.id, n) for user, n in session.execute(query)]


@row.peewee
def _() -> object:
    query = (
        pw.User.select(
            pw.User, pw.fn.COUNT(pw.Item.id).alias("n")
        )
        .left_outer_join(pw.Item)
        .group_by(pw.User.id)
        .order_by(pw.User.id)
    )
    return [(user.id, user.n) for user in query]  # type: ignore[attr-defined]


@row("Having")
def _(session: sa.Session) -> object:
    query = (
        sa.select(sa.Item.owner_id)
        .group_by(sa.Item.owner_id)
        .having(sa.func.count() > 1)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    query = (
        pw.Item.select(pw.Item.owner)
        .group_by(pw.Item.owner)
        .having(pw.fn.COUNT(pw.Item.id) > 1)
    )
    return list(query.scalars())


@row("A table twice: alias")
def _(session: sa.Session) -> object:
    other = sa.aliased(sa.Item)
    query = sa.select(sa.Item.title, other.title).join(
        other,
        sa.and_(
            other.owner_id == sa.Item.owner_id,
            other.id > sa.Item.id,
        ),
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    other = pw.Item.alias()
    query = pw.Item.select(pw.Item.title, other.title).join(
        other,
        on=(
            (other.owner == pw.Item.owner)
            & (other.id > pw.Item.id)
        ),
    )
    return list(query.tuples())
