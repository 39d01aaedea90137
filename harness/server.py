"""A real server: uvicorn in a process of its own, on a real socket."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import httpx2
import psutil

from .processes import ServerError, dying_with_us


@dataclass
class Server:
    """A running server, and its port on the loopback address."""

    process: subprocess.Popen[bytes]
    port: int
    _log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx2.Client:
        """Return a client with a timeout for a busy machine."""
        return httpx2.Client(base_url=self.base_url, timeout=60)

    @property
    def log(self) -> str:
        """Return the log until now."""
        return self._log.read_text()

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Return when the text is in the log.

        Raise ServerError if the process ends first, or after `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while text not in self.log:
            if self.process.poll() is not None or time.monotonic() > end:
                raise ServerError(self.log.strip().rpartition("\n")[2])
            time.sleep(0.02)

    def wait(self) -> str:
        """Wait until it ends by itself; return its log."""
        self.process.wait(timeout=60)
        return self.log

    def stop(self) -> str:
        """Stop it as an operator does; return its log."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def keep_to_core(self, core: int) -> None:
        """Run all its threads, present and future, on this core only."""
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(ProcessLookupError):  # It has ended since.
                os.sched_setaffinity(int(thread.name), {core})

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process since its start."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def peak_mib(self) -> float | None:
        """Return the peak memory (RSS) in MiB; None without /proc."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return None
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(peak[1]) / 1024 if peak else None


@contextmanager
def serve(
    url: str,
    *arguments: str,
    module: Sequence[str] = ("peewee_app",),
    **environment: str,
) -> Iterator[Server]:
    """Serve the database at `url`; the arguments and environment are uvicorn's.

    `module` runs in place of the app: a module, and its first arguments.

    The socket listens before the process starts: a client's first request waits.
    """
    with NamedTemporaryFile(prefix="server-", suffix=".log") as log:
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            # uvicorn takes a descriptor for a Unix socket, and does not set it: each
            # answer would wait 40 ms for the client's delayed acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = listener.getsockname()[1]
            process = subprocess.Popen(
                [
                    *dying_with_us("TERM"),
                    *(sys.executable, "-m", *module),
                    # After 5 s uvicorn would close an idle connection, which a client
                    # may be about to use.
                    "--timeout-keep-alive=60",
                    *("--fd", str(listener.fileno()), *arguments),
                ],
                env=os.environ | {"DATABASE_URL": url} | environment,
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=log,
            )
        try:
            yield Server(process, port, Path(log.name))
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=60)
