"""What the OpenAPI document says of this API as a whole, and what may follow what."""

from importlib.metadata import version
from typing import Any

from .web.openapi import errors, link

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

# The responses of an operation that sets an email.
EMAIL_TAKEN = errors(400)
EMAIL_TAKEN[400]["description"] = (
    "The email is registered already, or the body cannot be read."
)
USER_LINKS = {
    "read": link("read_user_users__user_id__get", "user_id", "id"),
    "update": link("update_user_users__user_id__patch", "user_id", "id"),
    "delete": link("delete_user_users__user_id__delete", "user_id", "id"),
    "add_item": link(
        "create_item_for_user_users__user_id__items__post", "user_id", "id"
    ),
}
ITEM_LINKS = {
    "read": link("read_item_items__item_id__get", "item_id", "id"),
    "update": link("update_item_items__item_id__patch", "item_id", "id"),
    "delete": link("delete_item_items__item_id__delete", "item_id", "id"),
    "owner": link("read_user_users__user_id__get", "user_id", "owner_id"),
}
