"""What path operations say of themselves in the OpenAPI document."""

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
    400: {"description": "The request cannot be carried out: `detail` says why."},
    404: {"description": "There is nothing with this id."},
    413: {"description": "The body is too long."},
    503: {
        "description": "The database is busy or out of reach.",
        "headers": {"Retry-After": RETRY_AFTER},
    },
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a path operation that can fail in these ways."""
    return {status: {"model": Error, **ERRORS[status]} for status in statuses}


def link(operation: str, parameter: str, value: str) -> dict[str, Any]:
    """What may follow: an operation that takes a value of the answer as parameter."""
    return {
        "operationId": operation,
        "parameters": {parameter: f"$response.body#/{value}"},
    }


def page_responses() -> dict[int | str, dict[str, Any]]:
    """The `responses` of a path operation that answers with a page of a list."""
    return {200: {"headers": {"Link": LINK}}, **errors(503)}
