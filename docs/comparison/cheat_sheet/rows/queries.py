"""Queries inside of queries, expressions, and SQL itself."""

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Subqueries, expressions, SQL")


@row("In a subquery")
def _(session: sa.Session) -> object:
    active = sa.select(sa.User.id).where(sa.User.is_active)
    query = sa.select(sa.Item).where(
        sa.Item.owner_id.in_(active)
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    active = pw.User.select(pw.User.id).where(pw.User.is_active)
    query = pw.Item.select().where(pw.Item.owner.in_(active))
    return list(query)


@row("Join a subquery")
def _(session: sa.Session) -> object:
    counts = (
        sa.select(sa.Item.owner_id, sa.func.count().label("n"))
        .group_by(sa.Item.owner_id)
        .subquery()
    )
    query = sa.select(sa.User.email, counts.c.n).join(
        counts, counts.c.owner_id == sa.User.id
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    counts = (
        pw.Item.select(
            pw.Item.owner, pw.fn.COUNT(pw.Item.id).alias("n")
        )
        .group_by(pw.Item.owner)
        .alias("counts")
    )
    query = pw.User.select(pw.User.email, counts.c.n).join(
        counts, on=(counts.c.owner_id == pw.User.id)
    )
    return list(query.tuples())


@row("Exists, for each row")
def _(session: sa.Session) -> object:
    has_items = sa.exists().where(
        sa.Item.owner_id == sa.User.id
    )
    query = sa.select(sa.User).where(~has_items)
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    has_items = pw.fn.EXISTS(
        pw.Item.select().where(pw.Item.owner == pw.User.id)
    )
    query = pw.User.select().where(~has_items)
    return list(query)


@row("One value, for each row")
def _(session: sa.Session) -> object:
    count = (
        sa.select(sa.func.count(sa.Item.id))
        .where(sa.Item.owner_id == sa.User.id)
        .scalar_subquery()
    )
    query = sa.select(sa.User.id, count).order_by(sa.User.id)
    return session.execute(query).all()


@row.peewee
def _() -> object:
    count = pw.Item.select(pw.fn.COUNT(pw.Item.id)).where(
        pw.Item.owner == pw.User.id
    )
    query = pw.User.select(pw.User.id, count)
    return list(query.order_by(pw.User.id).tuples())


@row("With: a common table expression")
def _(session: sa.Session) -> object:
    active = (
        sa.select(sa.User.id)
        .where(sa.User.is_active)
        .cte("active")
    )
    query = sa.select(sa.Item.title).join(
        active, active.c.id == sa.Item.owner_id
    )
    return session.scalars(query).all()


@row.peewee
def _() -> object:
    active = (
        pw.User.select(pw.User.id)
        .where(pw.User.is_active)
        .cte("active")
    )
    query = pw.Item.select(pw.Item.title).join(
        active, on=(active.c.id == pw.Item.owner)
    )
    return list(query.with_cte(active).scalars())


@row("With recursive")
def _(session: sa.Session) -> object:
    n = sa.select(sa.literal(1).label("n")).cte(
        "n", recursive=True
    )
    n = n.union_all(sa.select(n.c.n + 1).where(n.c.n < 4))
    return session.scalars(sa.select(n.c.n)).all()


@row.peewee
def _() -> object:
    first = pw.Select(columns=[pw.Value(1).alias("n")])
    n = first.cte("n", recursive=True, columns=["n"])
    more = pw.Select([n], [n.c.n + 1]).where(n.c.n < 4)
    query = n.union_all(more).select_from(n.c.n)
    return list(query.bind(pw.db).tuples().scalars())


@row("Window function")
def _(session: sa.Session) -> object:
    number = sa.func.row_number().over(
        partition_by=sa.Item.owner_id, order_by=sa.Item.id
    )
    query = sa.select(sa.Item.title, number).order_by(
        sa.Item.id
    )
    return session.execute(query).all()


@row.peewee
def _() -> object:
    number = pw.fn.ROW_NUMBER().over(
        partition_by=[pw.Item.owner], order_by=[pw.Item.id]
    )
    query = pw.Item.select(pw.Item.title, number).order_by(
        pw.Item.id
    )
    return list(query.tuples())


@row("Case")
def _(session: sa.Session) -> object:
    state = sa.case((sa.User.is_active, "active"), else_="away")
    return session.execute(sa.select(sa.User.id, state)).all()


@row.peewee
def _() -> object:
    state = pw.Case(
        None, [(pw.User.is_active, "active")], "away"
    )
    return list(pw.User.select(pw.User.id, state).tuples())


@row("Union")
def _(session: sa.Session) -> object:
    query = sa.union(
        sa.select(sa.Item.title), sa.select(sa.Tag.name)
    )
    return sorted(session.scalars(query))


@row.peewee
def _() -> object:
    query = pw.Item.select(pw.Item.title) | pw.Tag.select(
        pw.Tag.name
    )
    return sorted(query.scalars())


@row("A function of the database")
def _(session: sa.Session) -> object:
    return session.scalars(
        sa.select(sa.func.upper(sa.Tag.name))
    ).all()


@row.peewee
def _() -> object:
    return list(
        pw.Tag.select(pw.fn.UPPER(pw.Tag.name)).scalars()
    )


@row("The first that is not null")
def _(session: sa.Session) -> object:
    text = sa.func.coalesce(sa.Item.description, sa.Item.title)
    return session.scalars(sa.select(text)).all()


@row.peewee
def _() -> object:
    text = pw.fn.COALESCE(pw.Item.description, pw.Item.title)
    return list(pw.Item.select(text).scalars())


@row("Arithmetic, and joined texts")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item.id * 10, sa.Item.title + "!")
    return session.execute(query.limit(1)).all()


@row.peewee
def _() -> object:
    query = pw.Item.select(
        pw.Item.id * 10, pw.Item.title.concat("!")
    )
    return list(query.limit(1).tuples())


@row("Cast")
def _(session: sa.Session) -> object:
    return session.scalars(
        sa.select(sa.cast(sa.Item.id, sa.String))
    ).all()


@row.peewee
def _() -> object:
    return list(
        pw.Item.select(pw.Item.id.cast("VARCHAR")).scalars()
    )


@row(
    "SQL by hand, with parameters",
    "Peewee passes it to the driver, which wants `?` on SQLite and `%s` on PostgreSQL: "
    "`db.param`.",
)
def _(session: sa.Session) -> object:
    sql = sa.text("SELECT title FROM items WHERE id > :id")
    return session.execute(sql, {"id": 1}).all()


@row.peewee
def _() -> object:
    sql = f"SELECT title FROM items WHERE id > {pw.db.param}"
    return pw.db.execute_sql(sql, (1,)).fetchall()


@row("SQL by hand, into objects")
def _(session: sa.Session) -> object:
    sql = sa.text("SELECT * FROM items WHERE id > :id")
    query = sa.select(sa.Item).from_statement(sql)
    return session.scalars(query, {"id": 1}).all()


@row.peewee
def _() -> object:
    sql = f"SELECT * FROM items WHERE id > {pw.db.param}"
    return list(pw.Item.raw(sql, 1))


@row("A piece of SQL in a query")
def _(session: sa.Session) -> object:
    query = sa.select(sa.Item).where(
        sa.text("length(title) = 3")
    )
    return session.scalars(
        query.order_by(sa.text("id DESC"))
    ).all()


@row.peewee
def _() -> object:
    query = pw.Item.select().where(pw.SQL("length(title) = 3"))
    return list(query.order_by(pw.SQL("id DESC")))


@row(
    "Show the SQL",
    "Each has its own way to name tables. Peewee's is for the engine, here SQLite.",
    differs=True,
    only_sqlite="peewee",
)
def _() -> object:
    query = sa.select(sa.Tag.name).where(sa.Tag.id == 1)
    return str(query)


@row.peewee
def _() -> object:
    query = pw.Tag.select(pw.Tag.name).where(pw.Tag.id == 1)
    return query.sql()
