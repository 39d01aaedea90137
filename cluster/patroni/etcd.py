"""etcd, where the nodes agree on who is the primary. One here; have three or five."""

import shutil
import subprocess
from pathlib import Path

import httpx2

from harness.processes import free_port

from . import programs


class Etcd:
    """A server, and a directory that outlives it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.peer_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory / "etcd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the directory."""
        self.directory.mkdir(mode=0o700)
        shutil.chown(self.directory, programs.USER)

    def start(self) -> None:
        """Start it with its data."""
        peer = f"http://127.0.0.1:{self.peer_port}"
        self._process = programs.start(
            *("etcd", "--data-dir", self.directory / "data"),
            *("--listen-client-urls", self.url, "--advertise-client-urls", self.url),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
            directory=self.directory,
            log=self.log,
        )

    def serves(self) -> bool:
        """Return True if it is healthy. Raise httpx2.TransportError."""
        return httpx2.get(f"{self.url}/health").status_code == 200

    def kill(self) -> None:
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
