"""Application. `uvicorn comparison.sqlmodel_app.main:app` serves it.

DATABASE_URL comes from the environment.
"""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from sqlmodel import Session, SQLModel, select

from ..sqlalchemy_app.database import make_engine
from .models import Item, ItemCreate, ItemTable, User, UserCreate, UserTable

router = APIRouter()


def get_session(request: Request) -> Iterator[Session]:
    """Yield the session of a request, closed after the response was sent."""
    with Session(request.app.state.engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@router.post("/users/", response_model=User)
def create_user(user: UserCreate, session: SessionDep) -> UserTable:
    """Create a user. The email must not be registered yet."""
    if session.exec(select(UserTable).where(UserTable.email == user.email)).first():
        raise HTTPException(400, "Email already registered")
    fake_hashed_password = user.password + "notreallyhashed"
    db_user = UserTable.model_validate(
        user, update={"hashed_password": fake_hashed_password}
    )
    session.add(db_user)
    session.commit()
    session.refresh(db_user)
    return db_user


@router.get("/users/", response_model=list[User])
def read_users(
    session: SessionDep, skip: int = 0, limit: int = 100
) -> Sequence[UserTable]:
    """List users with their items."""
    return session.exec(select(UserTable).offset(skip).limit(limit)).all()


@router.get("/users/{user_id}", response_model=User)
def read_user(user_id: int, session: SessionDep) -> UserTable:
    """Read one user, with the user's items."""
    user = session.get(UserTable, user_id)
    if not user:
        raise HTTPException(404, "User not found")
    return user


@router.post("/users/{user_id}/items/", response_model=Item)
def create_item_for_user(
    user_id: int, item: ItemCreate, session: SessionDep
) -> ItemTable:
    """Create an item that belongs to the user."""
    db_item = ItemTable.model_validate(item, update={"owner_id": user_id})
    session.add(db_item)
    session.commit()
    session.refresh(db_item)
    return db_item


@router.get("/items/", response_model=list[Item])
def read_items(
    session: SessionDep, skip: int = 0, limit: int = 100
) -> Sequence[ItemTable]:
    """List items."""
    return session.exec(select(ItemTable).offset(skip).limit(limit)).all()


def create_app(url: str) -> FastAPI:
    """Return the app on the database at `url`, which opens when the app starts."""
    engine = make_engine(url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        SQLModel.metadata.create_all(engine)
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.engine = engine
    app.include_router(router)
    return app


app = create_app(os.environ.get("DATABASE_URL", "sqlite:///./sql_app.db"))
