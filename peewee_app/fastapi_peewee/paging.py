"""Pages of a list, and the links between them."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, TypeAlias, get_origin
from urllib.parse import quote, quote_plus, urlencode

from fastapi import Depends, HTTPException, Query, Request, Response
from peewee import BigAutoField, BigIntegerField
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from starlette.types import Scope

from . import keyset
from .fields import Id
from .prepared import PreparedQuery, changed
from .transactions import in_snapshot

# An OFFSET has no more, but JavaScript rounds it up to the maximum that it may send.
MAX_OFFSET, MAX_SKIP = 2**63 - 1, 9_223_372_036_854_776_000

Skip = Annotated[
    int, Query(ge=0, le=MAX_SKIP, description="How many rows to leave out first.")
]
Limit = Annotated[int, Query(ge=0, le=1000, description="How many rows at most.")]

NOT_IN_THE_LIST = (
    "The row that `after` names is not in this list: it may have been deleted. Start "
    "again with the first page."
)

# A query of plain Peewee, or one whose SQL is kept.
PageableQuery: TypeAlias = "keyset.Query | PreparedQuery[Any]"

# Returns so many rows of a query; if it has more, also the primary key of the last one.
Fetch: TypeAlias = Callable[[PageableQuery, int], tuple[list[Any], keyset.Key | None]]


@dataclass
class PageRequest:
    """Page of a list that a request asks for.

    `after` is a primary key, of the type that `key_type` reads: a tuple if the key has
    several columns.
    """

    request: Request
    response: Response
    skip: int
    limit: int
    after: Any
    key_type: TypeAdapter[Any]

    def of(self, query: PageableQuery) -> "PageQuery":
        """Return this page of the query, for a path operation to return.

        Its order is the query's, and then the primary key's, in the same direction.
        Its own skip and limit take the place of the query's.

        Raises TypeError for a key of 64 bits where `after` has 32.
        """
        if isinstance(query.model._meta.primary_key, BigAutoField | BigIntegerField):
            self._check(2**63 - 1)
        return PageQuery(self, query)

    def link(self, *, skip: int | None = None, after: Any = None) -> str:
        """Return the URL of another page, with this request's path and filters.

        Raises TypeError if a request cannot have the key as its `after`.
        """
        url = self._first
        if skip is not None:
            url += f"&skip={skip}"
        if after is not None:
            key = after if isinstance(after, tuple) else (after,)
            text = str(key[0]) if len(key) == 1 else json.dumps(key, default=str)
            self._check(text)
            url += f"&after={quote_plus(text)}"
        return url

    @cached_property
    def _first(self) -> str:
        given = self.request.query_params.multi_items()
        filters = [(k, v) for k, v in given if k not in ("skip", "limit", "after")]
        query = urlencode([*filters, ("limit", self.limit)])
        return f"{path_of(self.request.scope)}?{query}"

    def _check(self, key: Any) -> None:
        try:
            self.key_type.validate_python(key)
        except ValidationError:
            raise TypeError(
                "This page cannot go on after every key of the model. Declare one by "
                "the key's type: Annotated[PageRequest, Depends(page_after(BigId))]"
            ) from None  # It has the key in it, which is not for a log.


@dataclass
class PageQuery:
    """Page for a path operation to return; the route reads it and makes links."""

    page: PageRequest
    query: PageableQuery

    def read(self, fetch: Fetch) -> list[Any]:
        """Return the rows of the page, and set the `Link` header (RFC 8288).

        Raises TypeError if the query's order has no row after another, and
        HTTPException (404) if the place of `after` has to be looked up, and the list
        has no such row.
        """
        query: Any = self.query
        after = self.page.after
        key = after if after is None or isinstance(after, tuple) else (after,)
        is_prepared = isinstance(query, PreparedQuery)
        if key is None or keyset.is_by_key(query.shape if is_prepared else query):
            return self._read(query, (key, ()), fetch)
        plain = query.plain() if is_prepared else query

        def look_up() -> list[Any]:
            place = keyset.place_of(plain, key)
            if place is None:
                raise HTTPException(404, NOT_IN_THE_LIST)
            return self._read(plain, place, fetch)

        return in_snapshot(plain.model._meta.database, look_up)

    def _read(self, query: Any, place: keyset.Place, fetch: Fetch) -> list[Any]:
        page = self.page
        # One row more tells whether there is a next page.
        rows = changed(query, keyset.rows_after, place, page.skip, page.limit + 1)
        found, last = fetch(rows, page.limit)
        links = {"first": page.link()}
        if page.limit and page.skip:
            skip = max(page.skip - page.limit, 0)
            links["prev"] = page.link(skip=skip, after=page.after)
        elif page.limit and page.after is not None:
            rows = changed(query, keyset.row_before, place, page.limit)
            before = next(iter(rows.models()), None)
            links["prev"] = page.link(after=before and before.get_id())
        if last:
            # Its cost does not grow with depth, as that of `skip` does.
            links["next"] = page.link(after=last)
        page.response.headers["Link"] = ", ".join(
            f'<{url}>; rel="{relation}"' for relation, url in links.items()
        )
        return found


def path_of(scope: Scope) -> str:
    """Return the path of a request as a URL without a host, fit for a header."""
    path, root = scope["path"], scope.get("app_root_path", scope.get("root_path", ""))
    if not f"{path}/".startswith(f"{root}/"):  # A proxy has taken it away.
        path = root + path
    # A comma or a semicolon would end the link for clients that split the header there.
    encoded = quote(path, "/:@!$&'()*+=~")
    # After two slashes comes a host.
    return "/%2F" + encoded[2:] if encoded.startswith("//") else encoded


def columns_in(key_type: TypeAdapter[Any], text: str) -> Any:
    """Return the values of a key of several columns, which come as JSON."""
    try:
        return key_type.validate_json(text)
    except ValidationError as exc:
        message = str(exc.errors()[0]["msg"])
        raise PydanticCustomError("key", "{message}", {"message": message}) from None


def page_after(
    key_type: Any,
    description: str = "Only rows that come after the one with this key.",
) -> Callable[..., Coroutine[Any, Any, PageRequest]]:
    """Return the dependency for pages of rows that have a primary key of this type.

    The type is `BigId`, `Text` or `UUID`, for example. For a key of two columns it is
    `tuple[Id, Text]`, and a client sends `after` as JSON. Declare such a page as
    `BookPage = Annotated[PageRequest, Depends(page_after(UUID))]`.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(key_type)
    if get_origin(key_type) is tuple:
        key_type = Annotated[str, AfterValidator(partial(columns_in, adapter))]
        adapter = TypeAdapter(key_type)
    query = Query(description=description)

    async def get_page(
        request: Request,
        response: Response,
        skip: Skip = 0,
        limit: Limit = 100,
        after: Annotated[key_type | None, query] = None,
    ) -> PageRequest:
        skip = min(skip, MAX_OFFSET)
        return PageRequest(request, response, skip, limit, after, adapter)

    return get_page


# The database counts ids from 1.
FromZero = Annotated[Id, Field(ge=0)]
Page = Annotated[
    PageRequest,
    Depends(page_after(FromZero, "Only rows with a greater id than this.")),
]
