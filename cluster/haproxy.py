"""HAProxy, for as long as a block of code runs."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.processes import PATH, ServerError, dying_with_us

DEFAULTS = """\
defaults
    mode tcp
    timeout connect 2s
    # An idle connection of a pool is not to be cut; a statement has the app's limit.
    timeout client 1h
    timeout server 1h
    timeout check 3s
    option clitcpka
    option srvtcpka
    # A node that refuses the connection is down: try another one, at once.
    retries 2
    option redispatch 1
"""


@contextmanager
def haproxy(
    directory: Path, config: str, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run HAProxy on the port, with its files in the directory."""
    file, log = directory / "haproxy.cfg", directory / "haproxy.log"
    file.write_text(config)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*dying_with_us("TERM"), "haproxy", "-db", "-f", file],
            env=os.environ | {"PATH": PATH},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
        yield process
    finally:
        process.kill()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the process listens. Raise ServerError if it ends."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise ServerError(f"{process.args!s} ended:\n{log.read_text()}")
        time.sleep(0.05)
