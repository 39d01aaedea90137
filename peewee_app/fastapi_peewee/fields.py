"""Types of what a client sends that every database can take, or 422.

They serve for a path, a query and a body alike.
"""

from typing import Annotated

from pydantic import Field

# An INTEGER column, such as an AutoField, and a BIGINT column hold these.
Id = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
BigId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
# PostgreSQL refuses a NUL. A pattern also makes Pydantic refuse a lone surrogate.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
