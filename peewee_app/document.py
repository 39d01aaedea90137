"""Descriptions for the OpenAPI document: of the API, and of its operations."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, get_origin

from . import schemas
from .fastapi_peewee import PeeweeRoute
from .web.openapi import BODY, LINK, errors, link

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
        {
            "name": "deletions",
            "description": (
                "An id is given once. After a deletion, read a list, and fill in an id "
                "from there in place of the 1."
            ),
        },
    ],
}

# Operations that can follow one that returns a new object.
LINKS = {
    schemas.User: {
        "read": link("read_user_users__user_id__get", "user_id", "id"),
        "update": link("update_user_users__user_id__patch", "user_id", "id"),
        "delete": link("delete_user_users__user_id__delete", "user_id", "id"),
        "add_item": link(
            "create_item_for_user_users__user_id__items__post", "user_id", "id"
        ),
    },
    schemas.Item: {
        "read": link("read_item_items__item_id__get", "item_id", "id"),
        "update": link("update_item_items__item_id__patch", "item_id", "id"),
        "delete": link("delete_item_items__item_id__delete", "item_id", "id"),
        "owner": link("read_user_users__user_id__get", "user_id", "owner_id"),
    },
}
EMAIL_TAKEN = errors(400)
EMAIL_TAKEN[400]["description"] = (
    "The email is registered already, or the body cannot be read."
)


class Route(PeeweeRoute):
    """A path operation, documented with the errors and headers of its kind.

    Its own `responses` override these.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods, model = set(options["methods"]), options["response_model"]
        responses: dict[int | str, Any] = {}
        if methods & {"POST", "PATCH"}:
            responses |= errors(*BODY)
        if "{" in path:
            responses |= errors(404)
        responses |= errors(503)
        if get_origin(model) is list:
            responses[200] = {"headers": {"Link": LINK}}
        if "POST" in methods and model in LINKS:
            responses[200] = {"links": LINKS[model]}
        options["responses"] = responses | (options["responses"] or {})
        super().__init__(path, endpoint, **options)
