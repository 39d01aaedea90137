"""JSON that goes in and out."""

from pydantic import BaseModel, ConfigDict


class ItemBase(BaseModel):
    """Fields of an item that go in and out."""

    title: str
    description: str | None = None


class ItemCreate(ItemBase):
    """An item to create."""


class Item(ItemBase):
    """An item as it is returned."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    owner_id: int


class UserBase(BaseModel):
    """Fields of a user that go in and out."""

    email: str


class UserCreate(UserBase):
    """A user to create."""

    password: str


class User(UserBase):
    """A user as it is returned, with the user's items and without a password."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    is_active: bool
    items: list[Item] = []
