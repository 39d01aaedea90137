"""Docs that load nothing from another host; tests/app/test_browser.py opens them."""

import re

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from peewee_app.web.offline_docs import create_app_with_docs

router = APIRouter()


@router.get("/things/{name}")
def read_thing(name: str) -> str:
    return name


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app_with_docs(router, title="Things"))


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_what_a_page_loads_is_there(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert "Things" in page.text
    assert page.headers["Content-Type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 2
    for url in loaded:
        assert url.startswith("/")
        assert client.get(url).status_code == 200
    assert client.head(path).headers["Content-Type"] == page.headers["Content-Type"]


def test_redoc_asks_for_no_logo(client: TestClient) -> None:
    script = client.get("/static-offline-docs/redoc.standalone.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "cdn.redoc.ly" not in script.text


def test_routers_are_matched_before_the_docs(client: TestClient) -> None:
    everything = APIRouter()
    everything.add_api_route("/{path:path}", lambda path: path)
    app = create_app_with_docs(router, everything)
    assert TestClient(app).get("/docs").json() == "docs"
    assert client.get("/things/a").json() == "a"
    assert "/things/{name}" in client.get("/openapi.json").json()["paths"]
