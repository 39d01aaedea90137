from collections.abc import Iterable

from fastapi import Depends, FastAPI, HTTPException

from peewee_app.fastapi_peewee import (
    ForeignKeyViolation,
    PeeweeRoute,
    UniqueViolation,
    add_database_error_handlers,
)

from . import crud, models, schemas
from .database import connect, db, get_db

with connect():
    db.create_tables([models.User, models.Item])

app = FastAPI(dependencies=[Depends(get_db, scope="function")])
add_database_error_handlers(app)
app.router.route_class = PeeweeRoute


@app.post("/users/", response_model=schemas.User)
def create_user(user: schemas.UserCreate) -> models.User:
    try:
        return crud.create_user(user)
    except UniqueViolation:
        detail = "Email already registered"
        raise HTTPException(status_code=400, detail=detail) from None


@app.get("/users/", response_model=list[schemas.User])
def read_users(skip: int = 0, limit: int = 100) -> Iterable[models.User]:
    return crud.get_users(skip, limit)


@app.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int) -> models.User:
    user = crud.get_user(user_id)
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@app.post("/users/{user_id}/items/", response_model=schemas.Item)
def create_item_for_user(user_id: int, item: schemas.ItemCreate) -> models.Item:
    try:
        return crud.create_user_item(item, user_id)
    except ForeignKeyViolation:
        raise HTTPException(status_code=404, detail="User not found") from None


@app.get("/items/", response_model=list[schemas.Item])
def read_items(skip: int = 0, limit: int = 100) -> Iterable[models.Item]:
    return crud.get_items(skip, limit)
