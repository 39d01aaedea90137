"""Types of what a client sends that every database can take, or 422.

They serve for a path, a query and a body alike.
"""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("text", "Text should not contain a NUL")
    return text


# An INTEGER column, such as an AutoField, and a BIGINT column hold these.
Id = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
BigId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
# PostgreSQL refuses a NUL. A validator says it more clearly than a pattern would.
Text = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^[^\x00]*$"}),
    AfterValidator(_without_nul),
]
