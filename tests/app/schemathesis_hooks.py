"""Check that the OpenAPI document cannot express, for Schemathesis."""

from typing import Any

import schemathesis


@schemathesis.check
def no_secret(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """Refuse answers with a password's hash or a traceback."""
    for secret in ("argon2", "hashed_password", "Traceback"):
        assert secret not in response.text
