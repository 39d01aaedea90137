"""SQLAlchemy's names that the rows use, the models, and a database with rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    cast,
    column,
    create_engine,
    delete,
    event,
    exists,
    extract,
    func,
    insert,
    inspect,
    literal,
    not_,
    or_,
    select,
    table,
    text,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import insert as dialect_insert
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    joinedload,
    load_only,
    make_transient,
    mapped_column,
    raiseload,
    relationship,
    selectinload,
    sessionmaker,
    with_parent,
)
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.schema import CreateTable

__all__ = [
    "JSON",
    "AsyncSession",
    "Base",
    "CheckConstraint",
    "Column",
    "Computed",
    "CreateTable",
    "DateTime",
    "DeclarativeBase",
    "Document",
    "Engine",
    "ForeignKey",
    "ForeignKeyConstraint",
    "Index",
    "Integer",
    "IntegrityError",
    "Item",
    "Mapped",
    "Membership",
    "MetaData",
    "QueuePool",
    "Row",
    "SQLAlchemyError",
    "Select",
    "Session",
    "StaticPool",
    "String",
    "Table",
    "Tag",
    "TypeDecorator",
    "UniqueConstraint",
    "User",
    "aliased",
    "and_",
    "automap_base",
    "bindparam",
    "case",
    "cast",
    "column",
    "contains_eager",
    "create_async_engine",
    "create_engine",
    "delete",
    "dialect_insert",
    "event",
    "exists",
    "extract",
    "func",
    "hybrid_property",
    "insert",
    "inspect",
    "joinedload",
    "literal",
    "load_only",
    "make_transient",
    "mapped_column",
    "not_",
    "or_",
    "postgresql",
    "raiseload",
    "relationship",
    "select",
    "selectinload",
    "sessionmaker",
    "table",
    "text",
    "union",
    "union_all",
    "update",
    "with_parent",
]


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    hashed_password: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    items: Mapped[list["Item"]] = relationship(
        back_populates="owner", cascade="all, delete-orphan"
    )


item_tags = Table(
    "item_tags",
    Base.metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str | None]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    owner: Mapped[User] = relationship(back_populates="items")
    tags: Mapped[list["Tag"]] = relationship(
        secondary=item_tags, back_populates="items"
    )


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    items: Mapped[list[Item]] = relationship(secondary=item_tags, back_populates="tags")


class Membership(Base):
    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    team: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]


class Document(Base):
    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


# Not shown on the page.


@contextmanager
def database(url: str) -> Iterator[dict[str, Any]]:
    """Make an engine and a session for a database with nothing in it but some rows.

    It is in memory, or that of a PostgreSQL URL.
    """
    global dialect_insert
    if url:
        dialect_insert = postgresql.insert  # type: ignore[assignment]
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        prepare = ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]
    else:
        dialect_insert = sqlite.insert
        engine = create_engine("sqlite://", poolclass=StaticPool)
        prepare = ["PRAGMA foreign_keys = 1"]
    with Session(engine) as session:
        for statement in prepare:
            session.execute(text(statement))
        Base.metadata.create_all(session.connection())
        new, rare = Tag(name="new"), Tag(name="rare")
        session.add_all([new, rare])
        for email, active in [("deadpool", 1), ("wolverine", 1), ("professor", 0)]:
            session.add(User(email=f"{email}@example.com", is_active=bool(active)))
            session.flush()  # In this order.
        foo = Item(title="Foo", description="The Foo Wrestlers", owner_id=1)
        for item, tags in [
            (foo, [new, rare]),
            (Item(title="Bar", owner_id=1), []),
            (Item(title="Baz", owner_id=2), [new]),
        ]:
            session.add(item)
            item.tags.extend(tags)
            session.flush()
        session.add_all(
            [
                Membership(user_id=2, team="x-men", role="member"),
                Membership(user_id=3, team="x-men", role="head"),
                Document(data={"sizes": [1, 2], "colour": "red"}),
                Document(data={"sizes": [3], "colour": "blue"}),
            ]
        )
        session.commit()
    with Session(engine) as session:
        yield {"engine": engine, "session": session}
    engine.dispose()
