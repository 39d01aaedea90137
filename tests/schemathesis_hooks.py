"""What Schemathesis cannot read in the OpenAPI document; it imports this itself."""

from typing import Any

import schemathesis
from email_validator import EmailNotValidError, validate_email
from hypothesis import strategies as st


def accepted(email: str) -> bool:
    """Whether it is an email by the rules for domains too, which no schema can tell."""
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


schemathesis.openapi.format("email", st.emails().filter(accepted))


@schemathesis.check
def no_secret(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """No answer has a password's hash in it, or a traceback."""
    for secret in ("argon2", "hashed_password", "Traceback"):
        assert secret not in response.text
