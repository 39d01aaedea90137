"""Site: it builds without a warning, and a browser shows it without another host.

`SCREENSHOTS=directory` keeps pictures of the pages there.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from docs import __main__ as site
from peewee_app import fastapi_peewee

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built() -> Path:
    build = [sys.executable, "-m", "docs", "--build"]
    run = subprocess.run(build, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    return site.TARGET


@pytest.fixture(scope="module")
def origin(built: Path) -> Iterator[str]:
    with site.server(0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 20, 22)"}
CUT = "e => e.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
SCALE = "svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width"


def addresses(built: Path) -> list[str]:
    pages = [page.relative_to(built) for page in built.rglob("*.html")]
    return sorted(str(page) for page in pages if page.name != "genindex.html")


def test_it_builds_without_a_warning(built: Path) -> None:
    assert (built / "index.html").exists()


def test_it_is_served_until_ctrl_c() -> None:
    serve = [sys.executable, "-m", "docs", "--port", "0"]
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout:
        address = process.stdout.readline().split("is at ")[1].split(". ")[0]
        assert "<title>peewee_app</title>" in httpx2.get(address, timeout=60).text
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_stay_within_the_window_and_this_host(
    browser: Browser, built: Path, origin: str, scheme: str, width: int
) -> None:
    page = browser.new_page(
        base_url=origin,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def complain(message: ConsoleMessage) -> None:
        complaints.append(f"{page.url}: {message.text}")

    page.on("console", complain)
    for address in addresses(built):
        page.goto(f"/{address}", wait_until="load")
        for diagram in page.locator("pre.mermaid").all():
            drawing = diagram.locator("svg")
            expect(drawing).to_be_visible()
            # Its text is as large as it was drawn, also on a telephone.
            assert drawing.evaluate(SCALE) == pytest.approx(1), address
        overflow = page.evaluate(
            "(root => root.scrollWidth - root.clientWidth)(document.documentElement)"
        )
        assert overflow == 0, address
        assert page.locator("article .highlight pre").evaluate_all(CUT) == [], address
        expect(page.locator("body")).to_have_css("background-color", BACKGROUND[scheme])
        if directory := os.environ.get("SCREENSHOTS"):
            name = f"{address.replace('/', '-')}-{scheme}-{width}.png"
            page.screenshot(path=Path(directory) / name)
    page.close()
    assert complaints == []
    assert len(requests) > len(addresses(built))
    assert [
        request
        for request in requests
        if not request.startswith((f"{origin}/", "data:", f"blob:{origin}/"))
    ] == []


def test_the_readers_choice_of_colours_redraws_a_diagram(
    browser: Browser, origin: str
) -> None:
    page = browser.new_page(base_url=origin, color_scheme="light")
    page.goto("/comparison/index.html")
    diagram = page.locator("pre.mermaid svg").first
    expect(diagram).to_be_visible()
    first = diagram.get_attribute("id")
    page.evaluate("document.body.dataset.theme = 'dark'")
    expect(page.locator(f"svg#{first}")).to_have_count(0)
    expect(page.locator("pre.mermaid svg").first).to_be_visible()
    page.close()


def test_a_command_is_copied_without_its_prompt(browser: Browser, origin: str) -> None:
    context = browser.new_context(
        base_url=origin, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto("/paging.html")
    block = page.locator(".highlight-console").first
    block.hover()
    block.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    context.close()


def test_on_a_telephone_a_table_of_text_is_read_row_by_row(
    browser: Browser, origin: str
) -> None:
    page = browser.new_page(base_url=origin, viewport={"width": 390, "height": 900})
    page.goto("/differences.html")
    cell = page.locator("table.of-text td").nth(1)
    expect(cell).to_have_css("display", "block")
    expect(cell).to_have_attribute("data-column", "Tutorial")
    page.close()


def test_search_finds_a_page(browser: Browser, origin: str) -> None:
    page = browser.new_page(base_url=origin)
    page.goto("/search.html?q=galera")
    found = page.locator("#search-results li a").first
    expect(found).to_contain_text("Galera")
    found.click()
    expect(page.locator("h1")).to_contain_text("Galera")
    page.close()


def test_the_reference_has_every_name_of_the_package(built: Path) -> None:
    page = (built / "reference.html").read_text()
    names = set(re.findall(r'id="peewee_app\.fastapi_peewee\.(\w+)"', page))
    # The tutorial has the alternative.
    assert names == set(fastapi_peewee.__all__) - {"DatabaseMiddleware"}
    assert page.count("[source]") > 20
    assert "As Peewee" not in page
    assert "As Pydantic" not in page
