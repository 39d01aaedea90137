"""Responses of path operations in the OpenAPI document."""

from typing import Any

from .errors import Error

RETRY_AFTER = {
    "description": "Seconds to wait before the request is sent again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
LINK = {
    "description": (
        "Where the `first`, the `prev` and the `next` page are, as RFC 8288 has it. "
        "Without `next`, this page is the last."
    ),
    "required": True,
    "schema": {"type": "string"},
}
ERRORS: dict[int, dict[str, Any]] = {
    400: {"description": "The body cannot be read."},
    404: {"description": "There is nothing with this id."},
    408: {"description": "The body takes too long to arrive."},
    413: {"description": "The body is too long."},
    503: {
        "description": "The app or its database is busy, or out of reach.",
        "headers": {"Retry-After": RETRY_AFTER},
    },
}
# Statuses with which every operation with a body can fail.
BODY = (400, 408, 413)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a path operation that can fail in these ways."""
    return {status: {"model": Error, **ERRORS[status]} for status in statuses}
