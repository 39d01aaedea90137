"""Pages of a list, and the links from one to the others."""

import re
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response
from starlette.types import Scope

from .prepared import Prepared

# The range of an INTEGER column.
MIN_ID, MAX_ID = -(2**31), 2**31 - 1
# An OFFSET has no more, but JavaScript rounds it up to the maximum that it may send.
MAX_OFFSET, MAX_SKIP = 2**63 - 1, 9_223_372_036_854_776_000

Skip = Annotated[
    int, Query(ge=0, le=MAX_SKIP, description="How many rows to leave out first.")
]
Limit = Annotated[int, Query(ge=0, le=1000, description="How many rows at most.")]
After = Annotated[
    int | None,
    Query(ge=MIN_ID, le=MAX_ID, description="Only rows with a greater id than this."),
]


def path_of(scope: Scope) -> str:
    """Return the path of a request as a URL without a host, fit for a header.

    It is the path that the client has sent: the decoded one would lose what is encoded
    in it. A server need not tell it.
    """
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    if not f"{scope['path']}/".startswith(f"{root}/"):  # A proxy has taken it away.
        path = quote(root).encode() + path
    # A bare % stays what it is; a comma or a semicolon would end the link for clients
    # that split the header at them.
    encoded = quote(re.sub(rb"%(?![0-9A-Fa-f]{2})", b"%25", path), "%/:@!$&'()*+=~")
    # After two slashes comes a host.
    return "/%2F" + encoded[2:] if encoded.startswith("//") else encoded


class PageRequest:
    """Which rows of a list a request asks for."""

    def __init__(
        self, request: Request, *, skip: int, limit: int, after: int | None
    ) -> None:
        self.request = request
        self.skip = skip
        self.limit = limit
        self.after = after

    def of(self, function: Prepared[..., Any], **filters: Any) -> "PageQuery":
        """This page of what the function selects, in the order of the primary key.

        The function takes `skip`, `limit` and `after` besides the filters.
        """
        return PageQuery(self, function, filters)

    def link(self, **parameters: int | None) -> str:
        """Return the URL of another page, with this request's path and filters."""
        given = self.request.query_params.multi_items()
        filters = [(k, v) for k, v in given if k not in ("skip", "limit", "after")]
        place = [(k, v) for k, v in parameters.items() if v is not None]
        query = urlencode([*filters, ("limit", self.limit), *place])
        return f"{path_of(self.request.scope)}?{query}"


class PageQuery:
    """A page as a path operation returns it: it is read, and its links are made."""

    def __init__(
        self, page: PageRequest, function: Prepared[..., Any], filters: dict[str, Any]
    ) -> None:
        self._page = page
        self._function = function
        self._filters = filters
        # One row more tells whether there is a next page.
        self.query = function(
            skip=page.skip, limit=page.limit + 1, after=page.after, **filters
        )

    def cut(self, rows: list[Any], response: Response) -> list[Any]:
        """The rows of the page; the response gets its `Link` header (RFC 8288).

        The next page is named by `after`, whose cost does not grow with depth.
        """
        page = self._page
        links = {"first": page.link()}
        if page.limit and page.skip:
            skip = max(page.skip - page.limit, 0)
            links["prev"] = page.link(skip=skip, after=page.after)
        elif page.limit and page.after is not None:
            links["prev"] = page.link(after=self._start_of_previous(page.after))
        if page.limit and page.limit < len(rows):
            key = self.query.model._meta.primary_key.name
            links["next"] = page.link(after=getattr(rows[page.limit - 1], key))
        response.headers["Link"] = ", ".join(
            f'<{url}>; rel="{relation}"' for relation, url in links.items()
        )
        return rows[: page.limit]

    def _start_of_previous(self, after: int) -> int | None:
        """The id after which the page starts that ends with `after`.

        None if it starts with the first row.
        """
        key = self.query.model._meta.primary_key
        ids = self._function.plain(**self._filters).select(key).where(key <= after)
        row = ids.order_by(key.desc()).limit(1).offset(self._page.limit).tuples()
        return next((start for (start,) in row), None)


async def get_page(
    request: Request, skip: Skip = 0, limit: Limit = 100, after: After = None
) -> PageRequest:
    """The page that the request asks for."""
    skip = min(skip, MAX_OFFSET)
    return PageRequest(request, skip=skip, limit=limit, after=after)


Page = Annotated[PageRequest, Depends(get_page)]
