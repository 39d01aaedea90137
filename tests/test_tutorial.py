"""What the pages of the tutorial show and the tests of all pages cannot compare."""

from pathlib import Path

import httpx2

from . import documents
from .server import serve

TUTORIAL = documents.ROOT / "docs" / "tutorial"
USER = {"email": "wade@example.com", "password": "x"}


def test_the_log_of_statements(tmp_path: Path) -> None:
    (shown,) = (
        block.code
        for block in documents.blocks(TUTORIAL / "12_look_inside.md")
        if block.language == "text"
    )
    with (
        serve(f"sqlite:///{tmp_path}/app.db", ECHO_SQL="1") as server,
        httpx2.Client(base_url=server.base_url, timeout=60) as client,
    ):
        client.post("/users/", json=USER)
        client.post("/users/1/items/", json={"title": "Foo"})
        client.get("/users/1")
        log = server.stop()
    assert documents.shows(f"...{shown}...", log), log
