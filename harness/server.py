"""A real server: uvicorn in a process of its own, on a real socket."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .processes import dying_with_us


@dataclass
class Server:
    """A running server, its port on the loopback address, and what it logged."""

    process: subprocess.Popen[str]
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> str:
        """Stop it as an operator does; return its log."""
        self.process.send_signal(signal.SIGTERM)
        log, _ = self.process.communicate(timeout=60)
        return log


@contextmanager
def serve(
    url: str,
    *arguments: str,
    module: Sequence[str] = ("peewee_app",),
    keep_log: bool = True,
    **environment: str,
) -> Iterator[Server]:
    """Serve the database at `url`, with more arguments and environment for uvicorn.

    `module` is what to run in place of the app: a module, and its first arguments.

    The socket listens before the process starts: a client's first request waits.
    A log that is kept has to be short: nobody reads it before the server stops.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        # The server takes a descriptor for a Unix socket, and does not set it: each
        # answer would wait 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        process = subprocess.Popen(
            [
                *dying_with_us("TERM"),
                *(sys.executable, "-m", *module),
                # After 5 s uvicorn would close an idle connection, which a client may
                # be about to use.
                "--timeout-keep-alive=60",
                *("--fd", str(listener.fileno()), *arguments),
            ],
            env=os.environ | {"DATABASE_URL": url} | environment,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE if keep_log else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
        )
        port = listener.getsockname()[1]
    try:
        yield Server(process, port)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)
