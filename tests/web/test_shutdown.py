"""Answers to requests that a stop cuts short."""

import http.client
import json
import socket
from contextlib import ExitStack
from pathlib import Path

from harness.server import serve

from ..databases import locked
from ..engines import on
from ..factories import USER


@on("sqlite")
def test_a_request_that_is_cut_short_by_a_stop(url: str, database_file: Path) -> None:
    """Stop a write that waits for a lock, and a body that is late."""
    head = (
        "POST /users/1/items/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
        "\r\nContent-Length: 14\r\nExpect: 100-continue\r\n\r\n"
    )
    bodies = ['{"title": "a"}', '{"title": ']
    with (
        serve(f"{url}?timeout=2", "--timeout-graceful-shutdown", "1") as server,
        server.client() as client,
        ExitStack() as stack,
    ):
        client.post("/users/", json=USER).raise_for_status()
        stack.enter_context(locked(database_file))
        connections = []
        for body in bodies:
            address = ("127.0.0.1", server.port)
            connection = stack.enter_context(socket.create_connection(address, 60))
            connection.sendall((head + body).encode())
            # It has been read: a server that closed it before would reset it.
            told = b"HTTP/1.1 100 Continue\r\n\r\n"
            assert connection.recv(len(told), socket.MSG_WAITALL) == told
            connections.append(connection)
        log = server.stop()
        for connection in connections:
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 503
            assert "Try again" in json.load(response)["detail"]
    assert "Traceback" not in log
