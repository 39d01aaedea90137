"""The app of FastAPI's tutorial on SQLAlchemy, as far as the tests need it."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from peewee_app import schemas


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    email: Mapped[str | None] = mapped_column(unique=True, index=True)
    hashed_password: Mapped[str | None]
    is_active: Mapped[bool | None] = mapped_column(default=True)
    items: Mapped[list["Item"]] = relationship(back_populates="owner")


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    title: Mapped[str | None] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    owner: Mapped[User] = relationship(back_populates="items")


class NewUser(BaseModel):
    email: str
    password: str


class ItemOut(schemas.ItemBase):
    model_config = ConfigDict(from_attributes=True)
    id: int
    owner_id: int


class UserOut(schemas.UserBase):
    model_config = ConfigDict(from_attributes=True)
    id: int
    is_active: bool
    items: list[ItemOut]


def create_sqlalchemy_app(url: str) -> FastAPI:
    engine = create_engine(url)
    Base.metadata.create_all(engine)

    def get_db() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    Db = Annotated[Session, Depends(get_db)]  # noqa: N806

    @asynccontextmanager
    async def lifespan(_app: FastAPI):  # type: ignore[no-untyped-def]
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/users/", response_model=UserOut)
    def create_user(user: NewUser, db: Db) -> User:
        new = User(email=user.email, hashed_password=user.password + "notreallyhashed")
        db.add(new)
        db.commit()
        return new

    @app.get("/users/", response_model=list[UserOut])
    def read_users(db: Db) -> list[User]:
        return list(db.scalars(select(User)))

    @app.post("/users/{user_id}/items/", response_model=ItemOut)
    def create_item_for_user(user_id: int, item: schemas.ItemBase, db: Db) -> Item:
        new = Item(**item.model_dump(), owner_id=user_id)
        db.add(new)
        db.commit()
        return new

    return app
