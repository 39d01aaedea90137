"""Types of a client's values that every database can take; others get a 422.

They are for paths, queries and bodies.
"""

from typing import Annotated

from pydantic import Field

# An INTEGER column, such as an AutoField, and a BIGINT column hold these.
Id = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
BigId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
# PostgreSQL refuses a NUL. A pattern also makes Pydantic refuse a lone surrogate.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
