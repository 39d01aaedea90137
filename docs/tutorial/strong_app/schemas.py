from pydantic import BaseModel

from peewee_app.fastapi_peewee import PeeweeGetterDict


class ItemBase(BaseModel):
    title: str
    description: str | None = None


class ItemCreate(ItemBase):
    pass


class Item(ItemBase, PeeweeGetterDict):
    id: int
    owner_id: int


class UserBase(BaseModel):
    email: str


class UserCreate(UserBase):
    password: str


class User(UserBase, PeeweeGetterDict):
    id: int
    is_active: bool
    items: list[Item] = []
