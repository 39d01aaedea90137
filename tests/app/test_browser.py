"""/docs and /redoc, in a real browser.

`SCREENSHOTS=docs/images` keeps the screenshots there; the README shows one.
"""

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from harness.server import Server

from ..engines import on

pytestmark = on("sqlite")
WHITE = (255, 255, 255)
IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Page that asks no other host, and has no error in its console."""
    requests: list[str] = []
    complaints: list[str] = []
    origin = f"http://app.example:{server.port}"
    page = browser.new_page(
        base_url=origin, viewport={"width": 1280, "height": 1050}, device_scale_factor=1
    )
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    page.close()
    # The browser itself reports each answer that is an error.
    assert [c for c in complaints if not c.startswith("Failed to load resource")] == []
    assert requests
    assert [
        request
        for request in requests
        if not request.startswith((f"{origin}/", f"blob:{origin}/", "data:"))
    ] == []


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    return Path(os.environ.get("SCREENSHOTS", tmp_path))


def methods(picture: Path) -> list[object]:
    """Return the colours of the methods, from top to bottom."""
    with Image.open(picture).convert("RGB") as image:
        column = image.crop((38, 0, 39, image.height)).get_flattened_data()
    runs = [(colour, len(list(run))) for colour, run in groupby(column)]
    found = [colour for colour, length in runs if colour != WHITE and length > 20]
    assert len(found) > 5
    return found


def open_operation(page: Page, operation_id: str) -> Locator:
    """Unfold the operation and press "Try it out"."""
    operation = page.locator(f"[id$='-{operation_id}']")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    return operation


def execute(operation: Locator, status: int) -> Locator:
    """Press "Execute", check the status, return the response."""
    with operation.page.expect_response(lambda response: True) as sent:
        operation.get_by_role("button", name="Execute").click()
    assert sent.value.status == status
    response = operation.locator(".live-responses-table .response")
    expect(response.locator(".response-col_status")).to_contain_text(str(status))
    return response


def test_docs_are_tried_out(page: Page, screenshots: Path) -> None:
    page.goto("/docs")
    expect(page.get_by_text("Delete Item")).to_be_visible()
    page.screenshot(path=screenshots / "docs.png")
    assert methods(screenshots / "docs.png") == methods(IMAGES / "docs.png"), (
        "keep the new picture: SCREENSHOTS=docs/images pytest tests/app/test_browser.py"
    )
    create_user = open_operation(page, "create_user_users__post")
    response = execute(create_user, 200)
    expect(response).to_contain_text('"email": "deadpool@example.com"')
    create_user.screenshot(path=screenshots / "docs-200.png")

    response = execute(create_user, 400)
    expect(response).to_contain_text("Email already registered")
    create_user.screenshot(path=screenshots / "docs-400.png")

    body = create_user.locator("textarea.body-param__text")
    body.fill('{"email": "deadpool", "password": "chimichangas4life"}')
    response = execute(create_user, 422)
    expect(response).to_contain_text("Email should be valid")
    expect(response).not_to_contain_text("chimichangas4life")
    create_user.screenshot(path=screenshots / "docs-422.png")
    create_user.locator(".opblock-summary-control").click()

    deletions = page.locator(".opblock-tag-section", has_text="deletions")
    expect(deletions).to_contain_text("read a list, and fill in an id")


@pytest.mark.slow  # test_document.py asks the same without a browser.
def test_what_is_filled_in_succeeds_from_top_to_bottom(page: Page) -> None:
    """Use the id 1 and the body's example, on an empty database."""
    page.goto("/docs")
    expected = [
        ("create_user_users__post", 200, '"email": "deadpool@example.com"'),
        ("read_users_users__get", 200, 'rel="first"'),
        ("read_user_users__user_id__get", 200, '"email": "deadpool@example.com"'),
        ("update_user_users__user_id__patch", 200, '"email": "wade@example.com"'),
        ("create_item_for_user_users__user_id__items__post", 200, '"title": "Foo"'),
        ("read_items_of_user_users__user_id__items__get", 200, '"title": "Foo"'),
        ("read_items_items__get", 200, '"title": "Foo"'),
        ("read_item_items__item_id__get", 200, '"owner_id": 1'),
        ("update_item_items__item_id__patch", 200, '"title": "Bar"'),
        ("delete_item_items__item_id__delete", 204, ""),
        ("delete_user_users__user_id__delete", 204, ""),
    ]
    expect(page.locator(".opblock")).to_have_count(len(expected))
    shown = page.locator(".opblock").evaluate_all("all => all.map(one => one.id)")
    ids = [operation_id for operation_id, _, _ in expected]
    assert [name.split("-", 2)[2] for name in shown] == ids
    for operation_id, status, answer in expected:
        operation = open_operation(page, operation_id)
        expect(execute(operation, status)).to_contain_text(answer)
        expect(operation).not_to_contain_text("minimum: -")
        operation.locator(".opblock-summary-control").click()


def test_redoc(page: Page, screenshots: Path) -> None:
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="Create User")).to_be_visible()
    search = page.get_by_role("searchbox").or_(page.get_by_placeholder("Search"))
    search.first.fill("delete")  # The search runs in a worker.
    expect(page.locator("[data-role='search:results']")).to_contain_text("Delete User")
    page.screenshot(path=screenshots / "redoc.png")
