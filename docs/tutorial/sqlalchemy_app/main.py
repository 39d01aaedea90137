from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session

from . import crud, models, schemas
from .database import Base, engine, get_db

Base.metadata.create_all(engine)

app = FastAPI()

Db = Annotated[Session, Depends(get_db)]


@app.post("/users/", response_model=schemas.User)
def create_user(user: schemas.UserCreate, db: Db) -> models.User:
    if crud.get_user_by_email(db, user.email):
        raise HTTPException(status_code=400, detail="Email already registered")
    return crud.create_user(db, user)


@app.get("/users/", response_model=list[schemas.User])
def read_users(db: Db, skip: int = 0, limit: int = 100) -> Sequence[models.User]:
    return crud.get_users(db, skip, limit)


@app.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int, db: Db) -> models.User:
    user = crud.get_user(db, user_id)
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@app.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: int, item: schemas.ItemCreate, db: Db) -> models.Item:
    return crud.create_user_item(db, item, user_id)


@app.get("/items/", response_model=list[schemas.Item])
def read_items(db: Db, skip: int = 0, limit: int = 100) -> Sequence[models.Item]:
    return crud.get_items(db, skip, limit)
