"""The JSON that goes in and out."""

from functools import cached_property
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
)
from pydantic_core import PydanticCustomError

from .fastapi_peewee import PeeweeGetterDict
from .passwords import hash_password


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


# The validators give clearer messages than a pattern of Pydantic's would.
Text = Annotated[
    str,
    AfterValidator(_check_text),
    Field(json_schema_extra={"pattern": r"^[^\x00]*$"}),
]
# What a VARCHAR(255) column holds, in characters.
ShortText = Annotated[Text, Field(max_length=255)]
Email = Annotated[
    str,
    AfterValidator(_check_email),
    Field(json_schema_extra={"format": "email", "maxLength": 254}),
]


# The default of a field that may be left out, but by its type not be null.
ABSENT: Any = None


def example(fields: dict[str, Any]) -> ConfigDict:
    """The configuration of a schema that has these fields as its example.

    The schema shows no default of None: that would be a value to send, and a field that
    is left out is not null.
    """

    def describe(schema: dict[str, Any]) -> None:
        schema["examples"] = [fields]
        for field in schema["properties"].values():
            if field.get("default", "") is None:
                del field["default"]

    return ConfigDict(json_schema_extra=describe)


class ItemBase(BaseModel):
    """What is sent and what is returned of an item."""

    title: str
    description: str | None = None


class ItemCreate(ItemBase):
    """An item to create: stricter than what is read back."""

    model_config = example({"title": "Foo", "description": "The Foo Wrestlers"})

    title: ShortText
    description: ShortText | None = None


class ItemUpdate(BaseModel):
    """What to change of an item: a field that is left out stays as it is."""

    model_config = example({"title": "Bar", "description": None})

    title: ShortText = ABSENT
    description: ShortText | None = ABSENT


class Item(ItemBase, PeeweeGetterDict):
    """An item as it is returned."""

    id: int
    owner_id: int


class UserBase(BaseModel):
    """What is sent and what is returned of a user."""

    email: str


class UserCreate(UserBase):
    """A user to create."""

    model_config = example(
        {"email": "deadpool@example.com", "password": "chimichangas4life"}
    )

    email: Email
    password: Text = Field(repr=False)

    @cached_property
    def hashed_password(self) -> str:
        """The hash, computed once, when it is first asked for: that is slow."""
        return hash_password(self.password)


class UserUpdate(UserCreate):
    """What to change of a user: a field that is left out stays as it is."""

    model_config = example({"email": "wade@example.com", "is_active": False})

    email: Email = ABSENT
    password: Text = Field(default=ABSENT, repr=False)
    is_active: StrictBool = ABSENT


class User(UserBase, PeeweeGetterDict):
    """A user as it is returned, with the user's items and without a password."""

    id: int
    is_active: bool
    items: list[Item] = []
