"""Around the models: hooks, JSON, pools, async, tests, types."""

from typing import assert_type

from pydantic import BaseModel, ConfigDict

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Around the models")


@row("When an object is saved: events, signals")
def _(session: sa.Session) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        name: sa.Mapped[str]

    @sa.event.listens_for(Pet, "before_insert")
    def tidy(
        _mapper: object, _connection: object, pet: Pet
    ) -> None:
        pet.name = pet.name.title()

    Base.metadata.create_all(session.connection())
    session.add(Pet(name="rex"))
    return session.scalars(sa.select(Pet.name)).one()


@row.peewee
def _() -> object:
    class Pet(pw.signals.Model):  # type: ignore[misc]
        name = pw.TextField()

        class Meta:
            database = pw.db

    @pw.signals.pre_save(sender=Pet)  # type: ignore[untyped-decorator]
    def tidy(_model: object, pet: Pet, created: bool) -> None:
        pet.name = pet.name.title()

    pw.db.create_tables([Pet])
    Pet.create(name="rex")
    return Pet.get().name


@row("An object as a dict")
def _(session: sa.Session) -> object:
    tag = session.get_one(sa.Tag, 1)
    columns = sa.inspect(tag).mapper.column_attrs
    return {c.key: getattr(tag, c.key) for c in columns}


@row.peewee
def _() -> object:
    tag = pw.Tag.get_by_id(1)
    return pw.model_to_dict(tag)


@row("An object to Pydantic")
def _(session: sa.Session) -> object:
    class UserOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int
        email: str

    user = session.get_one(sa.User, 1)
    return UserOut.model_validate(user).model_dump()


@row.peewee
def _() -> object:
    class UserOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int
        email: str

    user = pw.User.get_by_id(1)
    return UserOut.model_validate(user).model_dump()


row.sqlalchemy_has(
    "A Pydantic schema from a model",
    "Nothing of its own. SQLModel, a package on top of it, has one class for both.",
)


@row.peewee
def _() -> object:
    schema = pw.to_pydantic(
        pw.User,
        exclude=[pw.User.hashed_password],
        exclude_autofield=False,
    )
    return schema.model_validate(
        pw.User.get_by_id(1)
    ).model_dump()


@row("Each statement, as it runs")
def _(engine: sa.Engine) -> object:
    seen = []

    @sa.event.listens_for(engine, "after_cursor_execute")
    def note(
        _c: object, _cursor: object, sql: str, *_: object
    ) -> None:
        seen.append(sql.split()[0])

    with sa.Session(engine) as session:
        session.get(sa.User, 1)
    return seen


@row.peewee
def _() -> object:
    seen = []

    def note(query: pw.QueryEvent) -> None:
        seen.append(query.sql.split()[0])

    pw.db.query_hooks.append(note)
    pw.User.get_by_id(1)
    pw.db.query_hooks.remove(note)
    return seen


@row("How many queries, in a test")
def _(session: sa.Session) -> object:
    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    sa.event.listen(
        session.connection(), "after_cursor_execute", add
    )
    for user in session.scalars(sa.select(sa.User)):
        len(user.items)
    return count


@row.peewee
def _() -> object:
    with pw.count_queries() as counted:
        for user in pw.User.select():
            len(user.items)
    return counted.count


@row(
    "A pool",
    "SQLAlchemy has one unless told otherwise. Peewee opens a connection for each thread, "
    "and has a pool in `playhouse.pool`.",
)
def _() -> object:
    engine = sa.create_engine(
        "sqlite:///app.db",
        pool_size=10,
        max_overflow=0,
        pool_timeout=5,
    )
    return type(engine.pool).__name__ == "QueuePool"


@row.peewee
def _() -> object:
    database = pw.PooledSqliteDatabase(
        "app.db",
        max_connections=10,
        timeout=5,
        stale_timeout=30,
    )
    return database.is_closed()


@row(
    "Async",
    "Both run their synchronous code in a greenlet, where a query may wait. A lazy "
    "relation is an error outside of it: load it before, or fetch it by SQLAlchemy's "
    "`awaitable_attrs` or Peewee's `afetch`.",
)
async def _() -> object:
    engine = sa.create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(sa.Base.metadata.create_all)
    async with sa.AsyncSession(engine) as session:
        session.add(sa.Tag(name="a"))
        await session.commit()
        names = (
            await session.scalars(sa.select(sa.Tag.name))
        ).all()
    await engine.dispose()
    return names


@row.peewee
async def _() -> object:
    database = pw.AsyncSqliteDatabase(":memory:")
    with database.bind_ctx([pw.Tag]):
        async with database:
            await database.acreate_tables([pw.Tag])
            await database.run(pw.Tag.create, name="a")
            tags = await database.list(pw.Tag.select())
        await database.close_pool()
    return [tag.name for tag in tags]


@row(
    "Another database, in a test",
    "A SQLAlchemy session is made for another engine. Peewee's models are bound to "
    "another database.",
)
def _() -> object:
    engine = sa.create_engine(
        "sqlite://", poolclass=sa.StaticPool
    )
    sa.Base.metadata.create_all(engine)
    with sa.Session(engine) as session:
        number = session.scalar(
            sa.select(sa.func.count(sa.User.id))
        )
    engine.dispose()
    return number


@row.peewee
def _() -> object:
    database = pw.SqliteDatabase(":memory:")
    models = [pw.User, pw.Item]
    with (
        database.bind_ctx(models),
        database.connection_context(),
    ):
        database.create_tables(models)
        return pw.User.select().count()


@row(
    "Types",
    "Both know the type of a column's value. SQLAlchemy also knows those of a relation "
    "and of a query's rows; for Peewee's backrefs and selected columns that is `Any`.",
)
def _(session: sa.Session) -> object:
    user = session.get_one(sa.User, 1)
    assert_type(user.email, str)
    return user.email


@row.peewee
def _() -> object:
    user = pw.User.get_by_id(1)
    assert_type(user.email, str)
    return user.email
