"""What Schemathesis cannot read in the OpenAPI document; it imports this itself."""

from typing import Any

import schemathesis


@schemathesis.check
def no_secret(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """No answer has a password's hash in it, or a traceback."""
    for secret in ("argon2", "hashed_password", "Traceback"):
        assert secret not in response.text
