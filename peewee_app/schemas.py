"""JSON that goes in and out."""

from typing import Annotated

from pydantic import MISSING, BaseModel, Field, StrictBool

from .fastapi_peewee import PeeweeGetterDict
from .fields import Email, Password, ShortText, example


class ItemBase(BaseModel):
    """Fields of an item that are sent and returned."""

    title: str
    description: str | None = None


class ItemCreate(ItemBase):
    """An item to create: stricter than what is read back."""

    model_config = example({"title": "Foo", "description": "The Foo Wrestlers"})

    title: ShortText
    description: ShortText | None = None


class ItemUpdate(BaseModel):
    """Changes of an item: a field that is left out stays as it is."""

    model_config = example({"title": "Bar", "description": None})

    title: ShortText | MISSING = MISSING
    description: ShortText | MISSING | None = MISSING


class Item(ItemBase, PeeweeGetterDict):
    """An item as it is returned."""

    model_config = example(
        {"title": "Foo", "description": "The Foo Wrestlers", "id": 1, "owner_id": 1}
    )

    id: int
    owner_id: int


class UserBase(BaseModel):
    """Fields of a user that are sent and returned."""

    email: str


class UserCreate(UserBase):
    """A user to create."""

    model_config = example(
        {"email": "deadpool@example.com", "password": "chimichangas4life"}
    )

    email: Email
    password: Password = Field(repr=False)


class UserUpdate(BaseModel):
    """Changes of a user: a field that is left out stays as it is."""

    model_config = example({"email": "wade@example.com", "is_active": False})

    email: Email | MISSING = MISSING
    password: Annotated[Password, Field(min_length=1)] | MISSING = Field(
        default=MISSING, repr=False
    )
    is_active: StrictBool | MISSING = MISSING


class UserInDB(UserBase):
    """A user to store, with the hash of the password in its place."""

    hashed_password: str = Field(repr=False)


class User(UserBase, PeeweeGetterDict):
    """A user as it is returned, with the user's items and without a password."""

    model_config = example(
        {"email": "deadpool@example.com", "id": 1, "is_active": True, "items": []}
    )

    id: int
    is_active: bool
    items: list[Item] = []
