"""What the tutorial, and a page beside it, say that their commands do not show."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser

from harness.processes import dying_with_us
from harness.server import serve
from peewee_app import crud, schemas
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate

from .documents import ROOT, blocks, shows

TUTORIAL = ROOT / "docs" / "tutorial"
SNIPPET = TUTORIAL / "server_timing.js"


def texts(page: Path) -> list[str]:
    return [block.code for block in blocks(page) if block.language == "text"]


def test_the_files_that_are_listed_exist() -> None:
    (listed,) = texts(TUTORIAL / "02_models.md")
    package, *lines = listed.splitlines()
    files = [line.split()[1] for line in lines]
    assert len(files) > 5
    assert all((ROOT / package / file).exists() for file in files)


def test_the_log_of_statements(tmp_path: Path) -> None:
    (of_tutorial,) = texts(TUTORIAL / "12_look_inside.md")
    of_page, header = texts(ROOT / "docs" / "telemetry.md")
    with (
        serve(f"sqlite:///{tmp_path}/app.db", ECHO_SQL="1") as server,
        httpx2.Client(base_url=server.base_url, timeout=60) as client,
    ):
        client.post("/users/", json={"email": "wade@example.com", "password": "x"})
        client.post("/users/1/items/", json={"title": "Foo"})
        timing = client.get("/users/1").headers["Server-Timing"]
        log = server.stop()
    assert shows(f"...{of_tutorial}...", log), log
    assert shows(f"...{of_page}...", log), log
    assert shows(header, f"Server-Timing: {timing}")


@pytest.mark.slow
def test_the_browser_counts_the_queries(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sql_app.db"
    migrate(connector(url))
    with connect(url):
        for n in range(10):
            email = f"{n}@example.com"
            user = crud.create_user(schemas.UserInDB(email=email, hashed_password=""))
            crud.create_user_item(schemas.ItemCreate(title="Foo"), user.id)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        app = ["uvicorn", "docs.tutorial.lazy_app:app", "--fd", str(descriptor)]
        process = subprocess.Popen(
            [*dying_with_us("TERM"), sys.executable, "-m", *app],
            env=os.environ | {"DATABASE_URL": url, "ECHO_SQL": "1"},
            cwd=ROOT,
            pass_fds=[descriptor],
            stderr=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        page = browser.new_page()
        shown: list[str] = []
        page.on("console", lambda message: shown.append(message.text))
        page.goto(f"{address}/docs")
        page.evaluate(f"async () => {{ {SNIPPET.read_text()} }}")
        assert shown == ["/lazy/ 11 queries", "/users/ 2 queries"]
        page.close()
    finally:
        process.terminate()
        process.wait(timeout=60)
