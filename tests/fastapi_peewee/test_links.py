"""`Link` header for any path and query that a client sends."""

import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPResponse
from urllib.parse import quote, unquote_to_bytes, urljoin

import httpx2
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.testclient import TestClient
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from peewee import AutoField, Model

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    Page,
    PageQuery,
    PeeweeGetterDict,
    PeeweeRoute,
    Pool,
    connector,
)

db = ContextDatabase()
LINK = re.compile(r"<([!$&'()*+./0-9:=?@A-Z_a-z~%-]+)>; rel=\"(first|prev|next)\"")


class Member(Model):
    id = AutoField()

    class Meta:
        database = db


class MemberOut(PeeweeGetterDict):
    id: int


def read_members(page: Page, request: Request, response: Response) -> PageQuery:
    """Return a page, and the path and query that the app has seen."""
    place = ("limit", "skip", "after")
    filters = [p for p in request.query_params.multi_items() if p[0] not in place]
    seen = [request.url.path, request.path_params, filters]
    response.headers["Seen"] = json.dumps(seen)
    return page.of(Member.select())


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    file = tmp_path_factory.mktemp("links") / "links.db"
    pool = Pool(db, connector(f"sqlite:///{file}"), size=1, timeout=10)
    with pool.connection():
        db.create_tables([Member])
        Member.insert_many([{"id": n} for n in (1, 2, 3)]).execute()

    async def get_db() -> AsyncIterator[None]:
        async with pool.request():
            yield

    router = APIRouter(
        route_class=PeeweeRoute, dependencies=[Depends(get_db, scope="function")]
    )
    router.get("/teams/{team}/", response_model=list[MemberOut])(read_members)
    router.get("/{path:path}", response_model=list[MemberOut])(read_members)
    app = FastAPI(openapi_url=None)
    app.include_router(router)
    yield app
    pool.close()


@pytest.fixture(scope="module", params=["h11", "httptools"])
def address(app: FastAPI, request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Address of a real server, with each HTTP parser."""
    config = uvicorn.Config(app, http=request.param, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def get(address: tuple[str, int], target: bytes) -> HTTPResponse:
    """Return the answer to a GET of exactly this target."""
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: app.example\r\n\r\n" % target)
        response = HTTPResponse(client)
        response.begin()
        response.read()
    return response


def check(address: tuple[str, int], target: bytes) -> None:
    """Check that the answer's links lead to pages of the same list."""
    response = get(address, target)
    # The server refuses the path, or no route takes it: a `path` has no line feeds.
    assume(response.status not in (307, 400, 404))
    assert response.status == 200
    header = response.headers["Link"]
    links = {relation: link for link, relation in LINK.findall(header)}
    assert LINK.sub("", header).replace(", ", "") == ""
    assert links.keys() == {"first", "prev", "next"}
    # A client's own reader agrees.
    read = httpx2.Response(200, headers={"Link": header}).links
    assert {name: link["url"] for name, link in read.items()} == links
    path = unquote_to_bytes(target.partition(b"?")[0])
    for link in links.values():
        other = get(address, link.encode())
        assert other.status == 200
        assert other.headers["Seen"] == response.headers["Seen"]
        if not {b".", b".."} & {*path.split(b"/")}:
            resolved = urljoin("http://app.example/a", link)
            assert resolved.startswith("http://app.example/")
            link = resolved.removeprefix("http://app.example")
            assert get(address, link.encode()).headers["Seen"] == other.headers["Seen"]


# Characters that a target may have as they are; other bytes need percent-encoding.
BARE = bytes({*range(0x21, 0x7F)} - {*b"#/?"})
CHARACTERS = st.one_of(
    st.sampled_from([bytes([byte]) for byte in BARE]),
    st.integers(0, 255).map(lambda byte: b"%%%02X" % byte),
    st.characters(exclude_categories=["Cs"]).map(
        lambda c: b"".join(b"%%%02x" % byte for byte in c.encode())
    ),
)
TEXT = st.lists(CHARACTERS, max_size=6).map(b"".join)
PATHS = st.one_of(
    TEXT.map(lambda team: b"/teams/%s/" % team),
    st.lists(TEXT, max_size=4).map(lambda segments: b"/" + b"/".join(segments)),
)
FILTERS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(
    lambda pairs: b"&".join(b"%s=%s" % pair for pair in pairs)
)


@given(path=PATHS, filters=FILTERS)
@settings(deadline=None)
@example(path="/teams/Łódź/".encode(), filters=b"")
@example(path=b"/teams/%C5%81%C3%B3d%C5%BA/", filters=b"q=%C5%81")
@example(path=b"/teams/100%2525/", filters=b"q=100%2525")
@example(path=b'/teams/x>;rel="preload",<y/', filters=b"")
@example(path=b"/teams/x%3E;rel=%22preload%22,%3Cy/", filters=b"a=%3E,;b=%22")
@example(path=b"/users/%E2%80%A81/items/", filters=b"")
@example(path=b"/teams/%0B%0D%0AA:b/", filters=b"%0D%0A=%00")
@example(path=b"/teams/%FF/%zz%", filters=b"%FF=%zz%")
@example(path=b"//evil.example/", filters=b"")
@example(path=b"/teams/a%2Fb/", filters=b"after=0&a=1&a=2&a=&=")
def test_links_lead_back(address: tuple[str, int], path: bytes, filters: bytes) -> None:
    place = b"skip=1&limit=1"
    check(address, path + b"?" + (b"&".join([filters, place]) if filters else place))


@pytest.mark.parametrize("root", ["", "/a", "/a/b", "/Ł"])
@pytest.mark.parametrize("mount", ["", "/sub", "/ą"])
def test_links_have_the_prefixes_of_a_mount_and_of_a_proxy(
    app: FastAPI, root: str, mount: str
) -> None:
    """Take the prefix that a proxy removes from the path from the server, or from the
    app's settings."""
    outer = FastAPI()
    outer.mount(mount, app)
    path = f"{mount}/teams/Ł/"
    expected = f'<{quote(root + path)}?limit=100>; rel="first"'
    with TestClient(outer, root_path=root) as client:
        assert client.get(path).headers["Link"] == expected
        assert client.get(root + path).headers["Link"] == expected
