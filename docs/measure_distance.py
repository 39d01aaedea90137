"""Requests per second by the distance to the server, and by DATABASE_POOL_SIZE.

    python -m docs.measure_distance [POSTGRESQL_URL]

prints a table in Markdown, in about two minutes. The database should be empty; by
default it is on a new server, which is removed at the end. The distance is made by a
proxy, which waits before it passes on what it gets.
"""

import multiprocessing
import socket
import threading
import time
from contextlib import suppress
from itertools import repeat
from urllib.parse import urlsplit

import httpx2

from comparison.markdown import number, table
from harness.load import drive, get
from harness.server import serve

from .measuring import postgresql_server, run

ROUND_TRIPS = (0, 1, 10)
SIZES = (1, 2, 4, 10, 20, 40)
CLIENTS = 64
SECONDS = 3
USER = {"email": "deadpool@example.com", "password": "chimichangas4life"}


def pass_on(source: socket.socket, target: socket.socket, delay: float) -> None:
    """Pass on data `delay` seconds later, until one side hangs up."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            if delay:
                time.sleep(delay)
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def serve_from_afar(
    listener: socket.socket, address: tuple[str, int], round_trip: float
) -> None:
    """Connect clients to the address, `round_trip` seconds away."""
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(address)
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for ends in ((client, server), (server, client)):
            threading.Thread(
                target=pass_on, args=(*ends, round_trip / 2), daemon=True
            ).start()


def requests_per_second(url: str, size: int) -> float:
    """Measure `GET /users/1` on a pool of `size` connections."""
    with serve(url, "--no-access-log", DATABASE_POOL_SIZE=str(size)) as server:
        with httpx2.Client(base_url=server.base_url, timeout=60) as client:
            client.post("/users/", json=USER)
            client.get("/users/1").raise_for_status()
        load = drive(
            server.port,
            repeat(get("/users/1")),
            clients=CLIENTS,
            seconds=SECONDS,
            patience=30,
        )
    if load.failed or load.unanswered:
        raise SystemExit(f"{load.failed} failed, {load.unanswered} had no answer.")
    return load.per_second


def main(url: str) -> None:
    """Measure, and print the table."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 5432)
    userinfo, at, _ = parts.netloc.rpartition("@")
    rows = []
    for round_trip in ROUND_TRIPS:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            proxy = multiprocessing.Process(
                target=serve_from_afar,
                args=(listener, address, round_trip / 1000),
                daemon=True,
            )
            proxy.start()
            port = listener.getsockname()[1]
            far = parts._replace(netloc=f"{userinfo}{at}127.0.0.1:{port}").geturl()
            figures = [requests_per_second(far, size) for size in SIZES]
            proxy.terminate()
            proxy.join()
        rows.append([f"{round_trip} ms", *map(number, figures)])
    print(table(["round trip", *map(str, SIZES)], rows))


if __name__ == "__main__":
    run(main, postgresql_server)
