"""The links from one page of a list to the others."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode


def link_header(
    path: str,
    rows: Sequence[dict[str, Any]],
    *,
    skip: int,
    limit: int,
    after: int | None,
    before: int | None,
) -> str:
    """A `Link` header (RFC 8288) for the page at `path` with these parameters.

    `rows` are its rows, and one more if there is a next page; with `after`, `before` is
    the id after which the previous page starts, None if that is the first page.
    The next page is named by `after`, whose cost does not grow with depth.
    """
    pages: dict[str, dict[str, int | None]] = {"first": {}}
    if limit and skip:
        pages["prev"] = {"skip": max(skip - limit, 0), "after": after}
    elif limit and after is not None:
        pages["prev"] = {"after": before}
    if limit and limit < len(rows):
        pages["next"] = {"after": rows[limit - 1]["id"]}
    links = []
    for relation, page in pages.items():
        parameters = {key: value for key, value in page.items() if value is not None}
        query = urlencode({"limit": limit} | parameters)
        links.append(f'<{path}?{query}>; rel="{relation}"')
    return ", ".join(links)
