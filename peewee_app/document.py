"""Descriptions for the OpenAPI document: of the API, and of its operations."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, get_origin

from .fastapi_peewee import PeeweeRoute
from .web.openapi import BODY, LINK, errors

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

EMAIL_TAKEN = errors(400)
EMAIL_TAKEN[400]["description"] = (
    "The email is registered already, or the body cannot be read."
)


class Route(PeeweeRoute):
    """A path operation, documented with the errors and headers of its kind.

    Its own `responses` override these.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        responses: dict[int | str, Any] = {}
        if {"POST", "PATCH"} & set(options["methods"]):
            responses |= errors(*BODY)
        if "{" in path:
            responses |= errors(404)
        responses |= errors(503)
        if get_origin(options["response_model"]) is list:
            responses[200] = {"headers": {"Link": LINK}}
        options["responses"] = responses | (options["responses"] or {})
        super().__init__(path, endpoint, **options)
