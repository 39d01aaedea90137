"""Tables, and the JSON that goes in and out: in SQLModel they are one family."""

from sqlmodel import Field, Relationship, SQLModel


class ItemBase(SQLModel):
    """Fields of an item in the table and in JSON."""

    title: str = Field(index=True)
    description: str | None = Field(default=None, index=True)


class ItemCreate(ItemBase):
    """An item to create."""


class UserBase(SQLModel):
    """Fields of a user in the table and in JSON."""

    email: str = Field(unique=True, index=True)


class UserCreate(UserBase):
    """A user to create."""

    password: str


class UserTable(UserBase, table=True):
    """A user and, by one query when first asked for, the user's items."""

    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    hashed_password: str
    is_active: bool = True

    items: list["ItemTable"] = Relationship(back_populates="owner")


class ItemTable(ItemBase, table=True):
    """An item and, by one query when first asked for, its owner."""

    __tablename__ = "items"

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id")

    owner: UserTable = Relationship(back_populates="items")


class Item(ItemBase):
    """An item as it is returned."""

    id: int
    owner_id: int


class User(UserBase):
    """A user as it is returned, with the user's items and without a password."""

    id: int
    is_active: bool
    items: list[Item] = []
