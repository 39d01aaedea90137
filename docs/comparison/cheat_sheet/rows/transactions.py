"""All or nothing."""

from contextlib import suppress

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Transactions")


@row(
    "Without saying anything",
    "In SQLAlchemy a transaction begins with the first statement, and what is not "
    "committed is gone. In Peewee each statement is one of its own.",
    differs=True,
)
def _(session: sa.Session) -> object:
    session.add(sa.Tag(name="a"))
    session.flush()
    session.close()
    return session.scalar(sa.select(sa.func.count(sa.Tag.id)))


@row.peewee
def _() -> object:
    pw.Tag.create(name="a")
    return pw.Tag.select().count()


@row("A transaction")
def _(engine: sa.Engine) -> object:
    with sa.Session(engine) as session, session.begin():
        session.add(sa.Tag(name="a"))
        session.add(sa.Tag(name="b"))
    with sa.Session(engine) as session:
        return session.scalar(
            sa.select(sa.func.count(sa.Tag.id))
        )


@row.peewee
def _() -> object:
    with pw.db.atomic():
        pw.Tag.create(name="a")
        pw.Tag.create(name="b")
    return pw.Tag.select().count()


@row("An error rolls back")
def _(engine: sa.Engine) -> object:
    with (
        suppress(ValueError),
        sa.Session(engine) as session,
        session.begin(),
    ):
        session.add(sa.Tag(name="a"))
        session.flush()
        raise ValueError
    with sa.Session(engine) as session:
        return session.scalar(
            sa.select(sa.func.count(sa.Tag.id))
        )


@row.peewee
def _() -> object:
    with suppress(ValueError), pw.db.atomic():
        pw.Tag.create(name="a")
        raise ValueError
    return pw.Tag.select().count()


@row("Roll back without an error")
def _(session: sa.Session) -> object:
    session.add(sa.Tag(name="a"))
    session.flush()
    session.rollback()
    return session.scalar(sa.select(sa.func.count(sa.Tag.id)))


@row.peewee
def _() -> object:
    with pw.db.atomic() as transaction:
        pw.Tag.create(name="a")
        transaction.rollback()
    return pw.Tag.select().count()


@row(
    "A savepoint",
    "Peewee's `atomic()` is a transaction outside and a savepoint inside of another.",
)
def _(session: sa.Session) -> object:
    session.add(sa.Tag(name="a"))
    try:
        with session.begin_nested():
            session.add(sa.Tag(name="a"))
    except sa.IntegrityError:
        session.add(sa.Tag(name="b"))
    session.commit()
    return session.scalars(sa.select(sa.Tag.name)).all()


@row.peewee
def _() -> object:
    with pw.db.atomic():
        pw.Tag.create(name="a")
        try:
            with pw.db.atomic():
                pw.Tag.create(name="a")
        except pw.IntegrityError:
            pw.Tag.create(name="b")
    return list(pw.Tag.select(pw.Tag.name).scalars())


@row("After the commit")
def _(session: sa.Session) -> object:
    done: list[str] = []

    @sa.event.listens_for(session, "after_commit", once=True)
    def send(session: sa.Session) -> None:
        done.append("mail sent")

    session.add(sa.Tag(name="a"))
    before = list(done)
    session.commit()
    return before, done


@row.peewee
def _() -> object:
    done: list[str] = []
    with pw.db.atomic():
        pw.db.after_commit(lambda: done.append("mail sent"))
        pw.Tag.create(name="a")
        before = list(done)
    return before, done


@row(
    "Lock the rows that are read",
    "SQLite has no such locks; this is the end of the SQL for PostgreSQL.",
)
def _() -> object:
    query = sa.select(sa.Item).with_for_update(skip_locked=True)
    sql = str(query.compile(dialect=sa.postgresql.dialect()))  # type: ignore[no-untyped-call]
    return sql.split()[-4:]


@row.peewee
def _() -> object:
    query = pw.Item.select().for_update(skip_locked=True)
    sql, _ = query.bind(pw.PostgresqlDatabase("app")).sql()
    return sql.split()[-4:]


@row(
    "Take SQLite's write lock at once",
    "So that nothing else writes between a read and the write which depends on it.",
    only_sqlite="both",
)
def _() -> object:
    engine = sa.create_engine(
        "sqlite://", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        one = connection.scalar(sa.select(sa.literal(1)))
        connection.exec_driver_sql("COMMIT")
    engine.dispose()
    return one


@row.peewee
def _() -> object:
    with pw.db.atomic("IMMEDIATE"):
        return (
            pw.Select(columns=[pw.Value(1)])
            .bind(pw.db)
            .scalar()
        )
