"""Tables, their columns, and what the database makes sure of."""

from contextlib import suppress
from typing import Any

from docs.comparison.cheat_sheet import pw, sa
from docs.comparison.cheat_sheet.sheet import Topic

row = Topic("Tables")


@row("A model, and its table")
def _(engine: sa.Engine) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"

        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        name: sa.Mapped[str]
        age: sa.Mapped[int | None]

    Base.metadata.create_all(engine)
    return sa.inspect(engine).has_table("pets")


@row.peewee
def _() -> object:
    class Pet(pw.Model):
        id = pw.AutoField()
        name = pw.TextField()
        age = pw.IntegerField(null=True)

        class Meta:
            database = pw.db
            table_name = "pets"

    pw.db.create_tables([Pet])
    return pw.db.table_exists("pets")


@row(
    "The SQL of a table",
    "Peewee makes an index of what is unique, SQLAlchemy a constraint of the table. "
    "Peewee's SQL is for the engine, here SQLite.",
    differs=True,
    only_sqlite="peewee",
)
def _() -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pet"

        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        name: sa.Mapped[str] = sa.mapped_column(unique=True)

    table = Base.metadata.tables["pet"]
    return [" ".join(str(sa.CreateTable(table)).split())]


@row.peewee
def _() -> object:
    class Pet(pw.db.Model):  # type: ignore[misc, name-defined]
        name = pw.TextField(unique=True)

    with pw.count_queries() as counted:
        pw.db.create_tables([Pet])
    return [query.msg[0] for query in counted.get_queries()]


@row("Indexes")
def _(engine: sa.Engine) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"
        __table_args__ = (
            sa.Index(
                "pets_kind_name", "kind", "name", unique=True
            ),
        )

        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        kind: sa.Mapped[str]
        name: sa.Mapped[str]

    Base.metadata.create_all(engine)
    indexes = sa.inspect(engine).get_indexes("pets")
    return "pets_kind_name" in [i["name"] for i in indexes]


@row.peewee
def _() -> object:
    class Pet(pw.db.Model):  # type: ignore[misc, name-defined]
        kind = pw.TextField()
        name = pw.TextField()

    Pet.add_index(
        Pet.kind, Pet.name, unique=True, name="pets_kind_name"
    )
    pw.db.create_tables([Pet])
    indexes = pw.db.get_indexes("pet")
    return "pets_kind_name" in [i.name for i in indexes]


@row("An index on an expression, for a part of the rows")
def _(session: sa.Session) -> object:
    tags = sa.Table("tags", sa.MetaData(), sa.Column("name"))
    index = sa.Index(
        "tags_lower",
        sa.func.lower(tags.c.name),
        sqlite_where=tags.c.name != "",
        postgresql_where=tags.c.name != "",
    )
    index.create(session.connection())
    return None


@row.peewee
def _() -> object:
    index = pw.Tag.index(
        pw.fn.LOWER(pw.Tag.name),
        where=pw.SQL("name != ''"),
        name="tags_lower",
    )
    pw.db.execute(index)
    return None


@row("A key of several columns")
def _(session: sa.Session) -> object:
    member = session.get_one(sa.Membership, (2, "x-men"))
    return member.role


@row.peewee
def _() -> object:
    key = pw.Membership._meta.primary_key
    member = pw.Membership.get(key == (2, "x-men"))
    return member.role


@row("A check, and a default of the database")
def _(session: sa.Session) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"
        __table_args__ = (sa.CheckConstraint("age >= 0"),)

        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        age: sa.Mapped[int] = sa.mapped_column(
            server_default="1"
        )

    Base.metadata.create_all(session.connection())
    session.execute(sa.insert(Pet))
    with suppress(sa.IntegrityError), session.begin_nested():
        session.execute(sa.insert(Pet).values(age=-1))
    return session.scalars(sa.select(Pet.age)).all()


@row.peewee
def _() -> object:
    class Pet(pw.db.Model):  # type: ignore[misc, name-defined]
        age = pw.IntegerField(
            constraints=[pw.Check("age >= 0"), pw.Default(1)]
        )

    pw.db.create_tables([Pet])
    Pet.insert().execute()
    with suppress(pw.IntegrityError):
        Pet.insert(age=-1).execute()
    return list(Pet.select(Pet.age).scalars())


@row(
    "A default of Python's",
    "SQLAlchemy sets it when the row is inserted, Peewee when the object is made.",
    differs=True,
)
def _() -> object:
    user = sa.User(email="x@example.com")
    return user.is_active


@row.peewee
def _() -> object:
    user = pw.User(email="x@example.com")
    return user.is_active


@row("Columns that several models share: a mixin")
def _() -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Named:
        name: sa.Mapped[str]

    class Pet(Named, Base):
        __tablename__ = "pets"
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)

    return sorted(sa.inspect(Pet).columns.keys())


@row.peewee
def _() -> object:
    class Named(pw.Model):
        name = pw.TextField()

    class Pet(Named):
        pass

    return sorted(Pet._meta.fields)


@row("A foreign key of several columns")
def _(session: sa.Session) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Seat(Base):
        __tablename__ = "seats"
        row: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        number: sa.Mapped[int] = sa.mapped_column(
            primary_key=True
        )
        colour: sa.Mapped[str]

    class Ticket(Base):
        __tablename__ = "tickets"
        __table_args__ = (
            sa.ForeignKeyConstraint(
                ["row", "number"], ["seats.row", "seats.number"]
            ),
        )
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        row: sa.Mapped[int]
        number: sa.Mapped[int]
        seat: sa.Mapped[Seat] = sa.relationship()

    Base.metadata.create_all(session.connection())
    session.add(
        Ticket(seat=Seat(row=1, number=2, colour="red"))
    )
    return session.scalars(sa.select(Ticket)).one().seat.colour


row.peewee_has(
    "Nothing: a `ForeignKeyField` is one column. The constraint can be written as SQL, in "
    "`Meta.constraints`, and each join with its condition."
)


@row("Classes that inherit share a table")
def _(session: sa.Session) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"
        __mapper_args__ = {  # noqa: RUF012
            "polymorphic_on": "kind",
            "polymorphic_identity": "pet",
        }
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        kind: sa.Mapped[str]

    class Dog(Pet):
        __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012

    Base.metadata.create_all(session.connection())
    session.add_all([Pet(), Dog()])
    pets = session.scalars(sa.select(Pet).order_by(Pet.id))
    return [type(pet).__name__ for pet in pets]


row.peewee_has(
    "Nothing: a model that inherits has a table of its own, with all the columns."
)


@row("A table without a model")
def _(session: sa.Session) -> object:
    tags = sa.table("tags", sa.column("id"), sa.column("name"))
    query = sa.select(tags.c.name).where(tags.c.id == 1)
    return session.execute(query).all()


@row.peewee
def _() -> object:
    tags = pw.Table("tags").bind(pw.db)
    query = tags.select(tags.c.name).where(tags.c.id == 1)
    return list(query.tuples())


@row("A type of one's own")
def _(session: sa.Session) -> object:
    class Words(sa.TypeDecorator[list[str]]):
        impl = sa.String
        cache_ok = True

        def process_bind_param(
            self, value: Any, dialect: Any
        ) -> Any:
            return " ".join(value)

        def process_result_value(
            self, value: Any, dialect: Any
        ) -> Any:
            return value.split()

    class Base(sa.DeclarativeBase):
        pass

    class Pet(Base):
        __tablename__ = "pets"
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        tricks: sa.Mapped[list[str]] = sa.mapped_column(Words)

    Base.metadata.create_all(session.connection())
    session.add(Pet(tricks=["sit", "roll"]))
    return session.scalars(sa.select(Pet.tricks)).one()


@row.peewee
def _() -> object:
    class Words(pw.TextField):
        def db_value(self, value: Any) -> Any:
            return " ".join(value)

        def python_value(self, value: Any) -> Any:
            return value.split()

    class Pet(pw.db.Model):  # type: ignore[misc, name-defined]
        tricks = Words()

    pw.db.create_tables([Pet])
    Pet.create(tricks=["sit", "roll"])
    return Pet.get().tricks


@row("A property that is also an expression: hybrid")
def _(session: sa.Session) -> object:
    class Base(sa.DeclarativeBase):
        pass

    class Box(Base):
        __tablename__ = "boxes"
        id: sa.Mapped[int] = sa.mapped_column(primary_key=True)
        width: sa.Mapped[int]
        height: sa.Mapped[int]

        @sa.hybrid_property
        def area(self) -> int:
            return self.width * self.height

    Base.metadata.create_all(session.connection())
    session.add(Box(width=2, height=3))
    box = session.scalars(
        sa.select(Box).where(Box.area == 6)
    ).one()
    return box.area


@row.peewee
def _() -> object:
    class Box(pw.db.Model):  # type: ignore[misc, name-defined]
        width = pw.IntegerField()
        height = pw.IntegerField()

        @pw.hybrid_property  # type: ignore[untyped-decorator]
        def area(self) -> Any:
            return self.width * self.height

    pw.db.create_tables([Box])
    Box.create(width=2, height=3)
    box = Box.get(Box.area == 6)
    return box.area


@row("JSON: filter by what is inside")
def _(session: sa.Session) -> object:
    colour = sa.Document.data["colour"].as_string()
    query = sa.select(sa.Document).where(colour == "red")
    return [
        document.data for document in session.scalars(query)
    ]


@row.peewee
def _() -> object:
    colour = pw.Document.data["colour"]
    query = pw.Document.select().where(colour == "red")
    return [document.data for document in query]


@row(
    "JSON: change a part, in the database",
    "SQLAlchemy has the database's functions, here SQLite's; Peewee the same method on "
    "each engine.",
    only_sqlite="sqlalchemy",
)
def _(session: sa.Session) -> object:
    data = sa.func.json_set(
        sa.Document.data, "$.colour", "green"
    )
    session.execute(sa.update(sa.Document).values(data=data))
    return session.scalars(sa.select(sa.Document.data)).all()


@row.peewee
def _() -> object:
    data = pw.Document.data["colour"].set("green")
    pw.Document.update(data=data).execute()
    return list(pw.Document.select(pw.Document.data).scalars())


@row("Which tables and columns there are")
def _(engine: sa.Engine) -> object:
    inspector = sa.inspect(engine)
    tables = inspector.get_table_names()
    columns = inspector.get_columns("tags")
    return len(tables), [c["name"] for c in columns]


@row.peewee
def _() -> object:
    tables = pw.db.get_tables()
    columns = pw.db.get_columns("tags")
    return len(tables), [c.name for c in columns]


@row("Models from the tables that are there")
def _(engine: sa.Engine) -> object:
    base = sa.automap_base()
    base.prepare(autoload_with=engine)
    return list(base.classes.tags.__table__.columns.keys())


@row.peewee
def _() -> object:
    models = pw.generate_models(pw.db)
    return models["tags"]._meta.sorted_field_names


row.sqlalchemy_has(
    "Change a table: migrations",
    "Nothing of its own: Alembic is a package beside it, by the same people, and writes "
    "the difference between models and tables into a script. Peewee's `pwmigrate` does so "
    "too; this is what such a script does.",
)


@row.peewee
def _() -> object:
    migrator = pw.SchemaMigrator.from_database(pw.db)
    colour = pw.TextField(null=True)
    pw.migrate(migrator.add_column("tags", "colour", colour))
    return [column.name for column in pw.db.get_columns("tags")]
