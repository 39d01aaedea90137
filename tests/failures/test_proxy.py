"""Limits on endless clients: the server's own, and a proxy's."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from harness.processes import free_port, program
from harness.server import Server, serve

from ..engines import on
from ..factories import USER

pytestmark = [on("sqlite"), pytest.mark.slow]

HALF_A_BODY = (
    b"POST /users/ HTTP/1.1\r\nHost: app\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)
HALF_THE_HEADERS = b"GET /users/ HTTP/1.1\r\nHost: app\r\nX-Name: "
CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    with serve(url) as server:
        assert httpx2.get(f"{server.base_url}/health", timeout=60).status_code == 200
        yield server


@contextmanager
def half_sent(port: int, text: bytes) -> Iterator[socket.socket]:
    """Connect, send the text, and no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(text)
        yield client


def test_a_body_that_does_not_arrive_is_refused(server: Server) -> None:
    with half_sent(server.port, HALF_A_BODY) as client:
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_does_not_arrive_holds_up_no_stop(server: Server) -> None:
    with half_sent(server.port, HALF_A_BODY):
        time.sleep(0.5)  # It has begun to arrive.
        start = time.monotonic()
        log = server.stop()
        assert time.monotonic() - start < 18  # A body alone has 20 s.
    assert "Application shutdown complete." in log


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[int]:
    """Yield the port of nginx, with the documentation's configuration."""
    port = free_port()
    text = CONFIGURATION.read_text()
    for old, new in [
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8000", f"127.0.0.1:{server.port}"),
    ]:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nginx.conf").write_text(text)
    process = subprocess.Popen(
        [
            *(
                program("nginx", "nginx-light"),
                "-p",
                str(tmp_path),
                "-c",
                str(tmp_path / "nginx.conf"),
            ),
            *("-e", "stderr", "-g", f"daemon off; pid {tmp_path}/pid; user root;"),
        ]
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_a_proxy_passes_requests_on(server: Server, proxy: int) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{proxy}", timeout=60) as client:
        assert client.post("/users/", json=USER).status_code == 200
        assert client.get("/users/1").json()["email"] == USER["email"]
        assert client.get("/docs").status_code == 200
        redirect = client.get("/users")
        assert redirect.headers["Location"] == f"http://127.0.0.1:{proxy}/users/"


@pytest.mark.parametrize("text", [HALF_THE_HEADERS, HALF_A_BODY])
def test_a_proxy_ends_what_is_half_sent(
    server: Server, proxy: int, text: bytes
) -> None:
    with half_sent(proxy, text) as client:
        answer = client.recv(4096)
    assert not answer or answer.startswith(b"HTTP/1.1 408 ")
    assert " 408 " not in server.stop()  # The app has seen nothing of it.


def test_a_proxy_ends_headers_without_end(server: Server, proxy: int) -> None:
    with half_sent(proxy, HALF_THE_HEADERS + b"a" * 100_000) as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
