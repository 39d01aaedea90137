"""Types of the fields that a client sends."""

import re
from typing import Annotated, Any

from fastapi import Path
from fastapi.openapi.models import Example
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .fastapi_peewee import Id as ColumnId
from .fastapi_peewee import Text

# Valid in <input type=email>, by the HTML standard.
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})*")
FIRST: dict[str, Example] = {"first": {"summary": "The first", "value": 1}}


def check_email(text: str) -> str:
    """Return the email, or raise an error that is more readable than a pattern's."""
    if not EMAIL.fullmatch(text):
        raise PydanticCustomError(
            "email", "Email should be valid, such as name@example.com"
        )
    return text


# Fits a VARCHAR(255) column.
ShortText = Annotated[Text, Field(max_length=255)]
Email = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"format": "email"}),
    AfterValidator(check_email),
]
Password = Annotated[Text, Field(max_length=4096)]
# No row has an id below 1. Asking for one is a 404, as in the tutorial, and no 422.
Id = Annotated[ColumnId, Path(json_schema_extra={"minimum": 1}, openapi_examples=FIRST)]


def example(values: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a schema that shows these values in /docs."""
    return ConfigDict(json_schema_extra={"examples": [values]})
