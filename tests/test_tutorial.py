"""What the tutorial says that its commands do not show."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser

from peewee_app import crud, schemas
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.migrations import migrate

from .documents import ROOT, blocks, shows
from .processes import dying_with_us
from .server import serve

TUTORIAL = ROOT / "docs" / "tutorial"
SNIPPET = TUTORIAL / "server_timing.js"


def test_the_files_that_are_listed_exist() -> None:
    listed = next(b for b in blocks(TUTORIAL / "02_models.md") if b.language == "text")
    package, *lines = listed.code.splitlines()
    files = [line.split()[1] for line in lines]
    assert len(files) > 5
    assert all((ROOT / package / file).exists() for file in files)


def test_the_log_of_statements(tmp_path: Path) -> None:
    (shown,) = (
        block.code
        for block in blocks(TUTORIAL / "12_look_inside.md")
        if block.language == "text"
    )
    with (
        serve(f"sqlite:///{tmp_path}/app.db", ECHO_SQL="1") as server,
        httpx2.Client(base_url=server.base_url, timeout=60) as client,
    ):
        client.post("/users/", json={"email": "wade@example.com", "password": "x"})
        client.post("/users/1/items/", json={"title": "Foo"})
        client.get("/users/1")
        log = server.stop()
    assert shows(f"...{shown}...", log), log


@pytest.mark.slow
def test_the_browser_counts_the_queries(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sql_app.db"
    migrate(connector(url))
    with connect(url):
        for n in range(10):
            email = f"{n}@example.com"
            user = crud.create_user(schemas.UserCreate(email=email, password="secret"))
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
