"""Pages of fastapi-pagination, for apps that have it."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def unread_pages(response_model: Any) -> AbstractContextManager[Any]:
    """Make `paginate` leave the objects of its page to the route.

    After `add_pagination` it would read each by itself, with a query for each relation.
    """
    library: Any = sys.modules.get("fastapi_pagination")
    generic = getattr(response_model, "__pydantic_generic_metadata__", {})
    page = generic.get("origin")
    if not library or not page or not issubclass(page, library.bases.AbstractPage):
        return nullcontext()
    unread: AbstractContextManager[Any] = library.set_page(page)
    return unread
