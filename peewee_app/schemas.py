"""The JSON that goes in and out."""

import re
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from .fastapi_peewee import PeeweeGetterDict
from .passwords import hash_password

# What a browser takes in <input type=email>, by the HTML standard.
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})*")
# Bytes: the work of a hash grows with them.
MAX_PASSWORD = 4096


def _check_text(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("text", "Text should not contain a NUL")
    return text


def _check_email(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise PydanticCustomError(
            "email", "Email should be valid, such as name@example.com"
        )
    return text


def _check_password(text: str) -> str:
    if len(text.encode()) > MAX_PASSWORD:
        raise PydanticCustomError(
            "password_too_long",
            "Password should have at most {max_bytes} bytes",
            {"max_bytes": MAX_PASSWORD},
        )
    return text


# Pydantic looks at the length first, and refuses a lone surrogate then; a validator
# runs after that. Its message is clearer than that of a pattern.
NO_NUL = r"^[^\x00]*$"
# What a VARCHAR(255) column holds, in characters.
ShortText = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"pattern": NO_NUL}),
    AfterValidator(_check_text),
]
Email = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"format": "email"}),
    AfterValidator(_check_email),
]
Password = Annotated[
    str,
    Field(
        max_length=MAX_PASSWORD,
        description=f"At most {MAX_PASSWORD:,} bytes of UTF-8.",
        json_schema_extra={"pattern": NO_NUL},
    ),
    AfterValidator(_check_text),
    AfterValidator(_check_password),
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

    model_config = example(
        {"title": "Foo", "description": "The Foo Wrestlers", "id": 1, "owner_id": 1}
    )

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
    password: Password = Field(repr=False)

    @cached_property
    def hashed_password(self) -> str:
        """The hash, computed once, when it is first asked for: that is slow."""
        return hash_password(self.password)


class UserUpdate(UserCreate):
    """What to change of a user: a field that is left out stays as it is."""

    model_config = example({"email": "wade@example.com", "is_active": False})

    email: Email = ABSENT
    password: Password = Field(default=ABSENT, repr=False)
    is_active: StrictBool = ABSENT


class User(UserBase, PeeweeGetterDict):
    """A user as it is returned, with the user's items and without a password."""

    model_config = example(
        {"email": "deadpool@example.com", "id": 1, "is_active": True, "items": []}
    )

    id: int
    is_active: bool
    items: list[Item] = []
