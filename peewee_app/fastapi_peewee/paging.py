"""Pages of a list, and the links between them."""

import json
import re
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property, partial
from typing import Annotated, Any, TypeAlias, get_origin
from urllib.parse import quote, quote_plus, urlencode

from fastapi import Depends, HTTPException, Query, Request, Response
from peewee import BigAutoField, BigIntegerField, Model
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from starlette.types import Scope

from . import keyset
from .fields import Id
from .prepared import PreparedQuery
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

# Takes a query, and the number of rows to return.
Fetch: TypeAlias = Callable[[PageableQuery, int], tuple[list[Any], bool]]


def path_of(scope: Scope) -> str:
    """Return the path of a request as a URL without a host, fit for a header.

    It is the path that the client has sent, since decoding loses information. Not all
    servers tell it.
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
    """Page of a list that a request asks for.

    `after` is a primary key, of the type that `key_type` reads: a tuple if the key has
    several columns.
    """

    def __init__(
        self,
        request: Request,
        response: Response,
        *,
        skip: int,
        limit: int,
        after: Any,
        key_type: TypeAdapter[Any],
    ) -> None:
        self.request = request
        self.response = response
        self.skip = min(skip, MAX_OFFSET)
        self.limit = limit
        self.after = after
        self._key_type = key_type

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
            is_composite = isinstance(after, tuple)
            text = json.dumps(after, default=str) if is_composite else str(after)
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
            self._key_type.validate_python(key)
        except ValidationError:
            raise TypeError(
                "This page cannot go on after every key of the model. Declare one by "
                "the key's type: Annotated[PageRequest, Depends(page_after(BigId))]"
            ) from None  # It has the key in it, which is not for a log.


class PageQuery:
    """Page for a path operation to return; the route reads it and makes links."""

    def __init__(self, page: PageRequest, query: PageableQuery) -> None:
        self._page = page
        self._query = query

    def read(self, fetch: Fetch) -> list[Any]:
        """Return the rows of the page, and set the `Link` header (RFC 8288).

        `fetch` runs a query, which has one row more than the page if there is a next
        page. It returns the page's rows, and whether there are more.

        Raises TypeError if the query's order has no row after another, and
        HTTPException (404) if the place of `after` has to be looked up, and the list
        has no such row.
        """
        query = self._query
        if isinstance(query, PreparedQuery) and not query.ask(keyset.is_by_key):
            query = query.plain()
        if isinstance(query, PreparedQuery) or keyset.is_by_key(query):
            return self._read(query, (), fetch)
        database = query.model._meta.database
        return in_snapshot(database, partial(self._look_up, query, fetch))

    def _look_up(self, query: keyset.Query, fetch: Fetch) -> list[Any]:
        """Read a page whose rows are not in the order of their keys."""
        key = key_columns(self._page.after)
        nulls = () if key is None else keyset.nulls_of(query, key)
        if nulls is None:
            raise HTTPException(404, NOT_IN_THE_LIST)
        return self._read(query, nulls, fetch)

    def _read(
        self, query: PageableQuery, nulls: Sequence[bool], fetch: Fetch
    ) -> list[Any]:
        page = self._page
        place = {"key": key_columns(page.after), "nulls": nulls}

        def rows_of(skip: int, limit: int) -> PageableQuery:
            return change(query, keyset.rows_after, **place, skip=skip, limit=limit)

        # One row more tells whether there is a next page. Its link has `after`, whose
        # cost does not grow with depth.
        rows, has_more = fetch(rows_of(page.skip, page.limit + 1), page.limit)
        links = {"first": page.link()}
        if page.limit and page.skip:
            skip = max(page.skip - page.limit, 0)
            links["prev"] = page.link(skip=skip, after=page.after)
        elif page.limit and page.after is not None:
            before = change(query, keyset.row_before, **place, rows=page.limit).first()
            links["prev"] = page.link(after=before and before.get_id())
        if page.limit and has_more:
            key = key_of(query.model, rows[-1])
            if key is None:
                last = rows_of(page.skip + page.limit - 1, 1).first()
                key = last and last.get_id()
            links["next"] = page.link(after=key)
        page.response.headers["Link"] = ", ".join(
            f'<{url}>; rel="{relation}"' for relation, url in links.items()
        )
        return rows


def change(
    query: PageableQuery, function: Callable[..., keyset.Query], **values: Any
) -> PageableQuery:
    """Apply the function to a query, plain or prepared, and values."""
    if isinstance(query, PreparedQuery):
        return query.changed(function, **values)
    return function(query, **values)


def key_columns(key: Any) -> list[Any] | None:
    """Return the values of the key's columns."""
    if key is None:
        return None
    return list(key) if isinstance(key, tuple) else [key]


def columns_in(key_type: TypeAdapter[Any], text: str) -> Any:
    """Return the values of a key of several columns, which come as JSON."""
    try:
        return key_type.validate_json(text)
    except ValidationError as exc:
        message = str(exc.errors()[0]["msg"])
        raise PydanticCustomError("key", "{message}", {"message": message}) from None


def key_of(model: type[Model], row: Any) -> Any:
    """Return the primary key of a row; None if the row does not have it."""
    if isinstance(row, Model):
        return row.get_id()
    names = [key.safe_name for key in model._meta.get_primary_keys()]
    values = row if isinstance(row, dict) else {n: getattr(row, n, None) for n in names}
    key = tuple(values.get(name) for name in names)
    if None in key:
        return None
    return key if len(key) > 1 else key[0]


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
        return PageRequest(
            request, response, skip=skip, limit=limit, after=after, key_type=adapter
        )

    return get_page


# The database counts ids from 1.
FromZero = Annotated[Id, Field(ge=0)]
Page = Annotated[
    PageRequest,
    Depends(page_after(FromZero, "Only rows with a greater id than this.")),
]
