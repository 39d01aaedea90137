"""etcd, where the nodes agree on who is the primary. One here; have three or five."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx2

from ..machine import NodeError, free_ports
from .nodes import ENVIRONMENT, SERVER_USER


class Etcd:
    """A server, and a directory that outlives it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.peer_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the directory."""
        self.directory.mkdir(mode=0o700)
        shutil.chown(self.directory, SERVER_USER)

    def start(self) -> None:
        """Start it with what it knew; return when it serves. Raises NodeError."""
        client, peer = (
            f"http://127.0.0.1:{port}" for port in (self.port, self.peer_port)
        )
        log = self.directory / "etcd.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *("etcd", "--data-dir", self.directory / "data"),
                    *("--listen-client-urls", client),
                    *("--advertise-client-urls", client),
                    *("--listen-peer-urls", peer),
                    *("--initial-advertise-peer-urls", peer),
                    *("--initial-cluster", f"default={peer}"),
                ],
                env=ENVIRONMENT,
                user=SERVER_USER if os.geteuid() == 0 else None,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with httpx2.Client(base_url=client) as http:
            while not self._serves(http):
                if self._process.poll() is not None:
                    raise NodeError(f"etcd ended:\n{log.read_text()}")
                time.sleep(0.1)

    def _serves(self, http: httpx2.Client) -> bool:
        try:
            return http.get("/health").status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
