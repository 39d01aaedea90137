"""Text in docs/telemetry.md: the log of statements, and a header."""

from pathlib import Path

from harness.server import serve

from .documents import ROOT, blocks, shows


def test_the_log_of_statements(tmp_path: Path) -> None:
    of_page, header = (
        block.code
        for block in blocks(ROOT / "docs" / "telemetry.md")
        if block.language == "text"
    )
    with (
        serve(f"sqlite:///{tmp_path}/app.db", ECHO_SQL="1") as server,
        server.client() as client,
    ):
        client.post("/users/", json={"email": "wade@example.com", "password": "x"})
        client.post("/users/1/items/", json={"title": "Foo"})
        timing = client.get("/users/1").headers["Server-Timing"]
        log = server.stop()
    assert shows(f"...{of_page}...", log), log
    assert shows(header, f"Server-Timing: {timing}")
