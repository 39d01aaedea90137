"""Headers that limit a page in a browser."""

import base64
import hashlib

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from harness.server import Server
from peewee_app.web.security_headers import SecurityHeadersMiddleware

from ..engines import on


@on("sqlite")
@pytest.mark.parametrize("path", ["/users/", "/users/1", "/users/x", "/openapi.json"])
def test_no_content_type_is_guessed(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in headers


def test_a_page_may_run_its_inline_scripts() -> None:
    app = FastAPI()
    app.add_middleware(SecurityHeadersMiddleware)
    scripts = ["one()", "\nmore()\n"]

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return "".join(f"<script>{script}</script>" for script in scripts)

    policy = TestClient(app).get("/").headers["Content-Security-Policy"]
    directives = dict(part.split(maxsplit=1) for part in policy.split("; "))
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    assert directives["script-src"].split() == ["'self'", *hashes]
    assert directives["default-src"] == "'none'"


@on("sqlite")
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_a_page_runs_no_script_but_its_own(
    browser: Browser, server: Server, path: str
) -> None:
    page = browser.new_page(base_url=f"http://app.example:{server.port}")
    response = page.goto(path, wait_until="domcontentloaded")
    assert response
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "no-referrer"
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.documentElement.append(script);
        }"""
    )
    assert page.evaluate("window.injected") is None
    page.close()
