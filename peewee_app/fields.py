"""Types of the fields that a client sends: what every database can store."""

import re
from typing import Annotated, Any

from fastapi import Path
from fastapi.openapi.models import Example
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .fastapi_peewee.paging import MAX_ID, MIN_ID

# What a browser takes in <input type=email>, by the HTML standard.
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})*")
# Bytes: the work of a hash grows with them.
MAX_PASSWORD = 4096


def check_text(text: str) -> str:
    """Return the text; raise an error if it has a NUL, which PostgreSQL refuses."""
    if "\0" in text:
        raise PydanticCustomError("text", "Text should not contain a NUL")
    return text


def check_email(text: str) -> str:
    """Return the text; raise an error if it is no email."""
    if not EMAIL.fullmatch(text):
        raise PydanticCustomError(
            "email", "Email should be valid, such as name@example.com"
        )
    return text


def check_password(text: str) -> str:
    """Return the text; raise an error if it has too many bytes."""
    if len(text.encode()) > MAX_PASSWORD:
        raise PydanticCustomError(
            "password_too_long",
            "Password should have at most {max_bytes} bytes",
            {"max_bytes": MAX_PASSWORD},
        )
    return text


# Pydantic looks at the length first, and refuses a lone surrogate then; a validator
# runs after that. Its message is clearer than that of a pattern.
NO_NUL = {"pattern": r"^[^\x00]*$"}
# A VARCHAR(255) column holds so many characters.
ShortText = Annotated[
    str, Field(max_length=255, json_schema_extra=NO_NUL), AfterValidator(check_text)
]
Email = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"format": "email"}),
    AfterValidator(check_email),
]
Password = Annotated[
    str,
    Field(
        max_length=MAX_PASSWORD,
        description=f"At most {MAX_PASSWORD:,} bytes of UTF-8.",
        json_schema_extra=NO_NUL,
    ),
    AfterValidator(check_text),
    AfterValidator(check_password),
]
FIRST: dict[str, Example] = {"first": {"summary": "The first", "value": 1}}
# An INTEGER column has room for less than 1, but no row has such an id: it is a 404.
Id = Annotated[
    int,
    Path(
        ge=MIN_ID,
        le=MAX_ID,
        json_schema_extra={"minimum": 1},
        openapi_examples=FIRST,
    ),
]


def example(fields: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a schema that shows these fields in /docs."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
