"""The JSON that goes in and out."""

from functools import cached_property
from typing import Annotated, Any

import peewee
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from .security import hash_password


def _check_text(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError(
            "text", "Text should not contain a NUL or a lone surrogate"
        )
    return text


def _check_email(text: str) -> str:
    # EmailStr would store another spelling than the one that was sent.
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as exc:
        raise PydanticCustomError(
            "email", "Email should be valid: {reason}", {"reason": str(exc)}
        ) from None
    return text


Text = Annotated[str, AfterValidator(_check_text)]
# What a VARCHAR(255) column holds, in characters.
ShortText = Annotated[str, Field(max_length=255), AfterValidator(_check_text)]
Email = Annotated[
    str, AfterValidator(_check_email), Field(json_schema_extra={"format": "email"})
]


class PeeweeGetterDict(BaseModel):
    """Base of the schemas that are read from Peewee objects.

    Pydantic 1 had `getter_dict` for this. A column is read as it is, a foreign key by
    its raw name (`owner_id`), a backref as a list ordered by id: at the cost of one
    query, or of none if it was loaded eagerly.
    """

    @model_validator(mode="before")
    @classmethod
    def getter_dict(cls, data: Any) -> Any:
        """Turn a model instance into a dict of the fields that the schema names."""
        if not isinstance(data, peewee.Model):
            return data
        values = {name: getattr(data, name) for name in cls.model_fields}
        for name, value in values.items():
            if isinstance(value, peewee.ModelSelect):  # A backref, not loaded.
                values[name] = list(value.order_by(value.model.id))
        return values


class ItemBase(BaseModel):
    """What is sent and what is returned of an item."""

    title: str
    description: str | None = None


class ItemCreate(ItemBase):
    """An item to create: stricter than what is read back."""

    title: ShortText
    description: ShortText | None = None


class Item(ItemBase, PeeweeGetterDict):
    """An item as it is returned."""

    id: int
    owner_id: int


class UserBase(BaseModel):
    """What is sent and what is returned of a user."""

    email: str


class UserCreate(UserBase):
    """A user to create."""

    email: Email
    password: Text = Field(repr=False)

    @cached_property
    def hashed_password(self) -> str:
        """The hash, computed once, when it is first asked for: that is slow."""
        return hash_password(self.password)


class User(UserBase, PeeweeGetterDict):
    """A user as it is returned, with the user's items and without a password."""

    id: int
    is_active: bool
    items: list[Item] = []
