"""What the OpenAPI document says beyond the paths and the schemas."""

from importlib.metadata import version
from typing import Any

from . import schemas

INFO: dict[str, Any] = {
    "title": "peewee_app",
    "version": version("peewee_app"),
    "description": (
        "Users and their items: the API of FastAPI's *SQL (Relational) Databases* "
        "tutorial, on Peewee.\n\n"
        "Every error has a `detail`. A `503` means that the database is busy or out of "
        "reach: wait for as many seconds as `Retry-After` says, and send the request "
        "again. A list is a page, and its `Link` header leads to the other pages."
    ),
    "openapi_tags": [
        {"name": "users", "description": "People who own items."},
        {"name": "items", "description": "What users own."},
    ],
}

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
    400: {"description": "The email is registered already, or the body is not JSON."},
    404: {"description": "There is no such user or item."},
    413: {"description": "The body is too long."},
    503: {
        "description": "The database is busy or out of reach.",
        "headers": {"Retry-After": RETRY_AFTER},
    },
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a path operation that can fail in these ways."""
    return {status: {"model": schemas.Error, **ERRORS[status]} for status in statuses}


def _link(operation: str, parameter: str, value: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {parameter: f"$response.body#/{value}"},
    }


def page() -> dict[int | str, dict[str, Any]]:
    """The `responses` of a path operation that answers with a page of a list."""
    return {200: {"headers": {"Link": LINK}}, **errors(503)}


USER_LINKS = {
    "read": _link("read_user_users__user_id__get", "user_id", "id"),
    "update": _link("update_user_users__user_id__patch", "user_id", "id"),
    "delete": _link("delete_user_users__user_id__delete", "user_id", "id"),
    "add_item": _link(
        "create_item_for_user_users__user_id__items__post", "user_id", "id"
    ),
}
ITEM_LINKS = {
    "read": _link("read_item_items__item_id__get", "item_id", "id"),
    "update": _link("update_item_items__item_id__patch", "item_id", "id"),
    "delete": _link("delete_item_items__item_id__delete", "item_id", "id"),
    "owner": _link("read_user_users__user_id__get", "user_id", "owner_id"),
}
