"""One node of the cluster: PostgreSQL, the Patroni that runs it, and their network."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from harness.processes import free_port

from ..haproxy import DEFAULTS, haproxy
from . import programs
from .watchdog import Watchdog

DATABASE = "app"

CONFIG = """\
scope: peewee_app
name: {name}
restapi:
  listen: 127.0.0.1:{rest_port}
  connect_address: 127.0.0.1:{network_rest_port}
etcd3:
  host: 127.0.0.1:{network_etcd_port}
  # Ask etcd at this address, and not at the one that it tells.
  use_proxies: true
watchdog:
  # Be no primary without one.
  mode: required
  driver: testing
  device: {directory}/watchdog
bootstrap:
  dcs:
    # Seconds. A primary that has not renewed its lock for `ttl` has lost it; one that
    # cannot renew it for `retry_timeout` steps down before that.
    ttl: 8
    loop_wait: 1
    retry_timeout: 3
    postgresql:
      # A primary that comes back undoes what only it has, and follows the new one.
      use_pg_rewind: true
  initdb:
  - encoding: UTF8
  - data-checksums
  pg_hba:
  - host all all 127.0.0.1/32 trust
  - host replication all 127.0.0.1/32 trust
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{network_port}
  data_dir: {directory}/data
  pgpass: {directory}/pgpass
  bin_dir: {bin}
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
  # A new replica does not wait for the primary's next checkpoint.
  basebackup:
  - checkpoint: fast
  parameters:
    unix_socket_directories: ''
    shared_buffers: 32MB
"""

# All traffic between the node and the others goes through here: its
# connections to etcd, and the others' to its PostgreSQL and its Patroni. Clients and
# the balancer reach the node without it.
NETWORK = """\
{defaults}
listen etcd
    bind 127.0.0.1:{network_etcd_port}
    server etcd 127.0.0.1:{etcd_port}
listen rest
    bind 127.0.0.1:{network_rest_port}
    server patroni 127.0.0.1:{rest_port}
listen postgresql
    bind 127.0.0.1:{network_port}
    server postgresql 127.0.0.1:{port}
"""


class Node:
    """PostgreSQL and its Patroni, and a directory that outlives them."""

    def __init__(self, name: str, directory: Path, etcd_port: int) -> None:
        self.name = name
        self.directory = directory.resolve()  # As /proc tells it.
        self.etcd_port = etcd_port
        self.port, self.rest_port = free_port(), free_port()
        self.network_port, self.network_rest_port = free_port(), free_port()
        self.network_etcd_port = free_port()
        self.log = directory / "patroni.log"
        self.watchdog = Watchdog(directory / "watchdog")
        # Patroni's API: the node's role, and commands.
        self.rest = httpx2.Client(base_url=f"http://127.0.0.1:{self.rest_port}")
        self._patroni: subprocess.Popen[bytes] | None = None
        self._network: subprocess.Popen[bytes] | None = None

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Make the directory, the configuration and the network, for a block of code.

        Kill its processes at the end of the block.
        """
        self.directory.mkdir(mode=0o755)
        config = CONFIG.format(bin=programs.BIN, **vars(self))
        (self.directory / "patroni.yml").write_text(config)
        shutil.chown(self.directory, programs.USER)
        network = NETWORK.format(defaults=DEFAULTS, **vars(self))
        self.watchdog.prepare()
        with haproxy(self.directory, network, self.network_port) as self._network:
            try:
                yield
            finally:
                self.kill()
                self.rest.close()
                self.watchdog.close()

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL when it knows the node's role."""
        config = self.directory / "patroni.yml"
        self._patroni = programs.start(
            "patroni", config, directory=self.directory, log=self.log
        )

    def kill(self) -> None:
        """Let all of it die as it would with its machine: kill -9."""
        while self._signal(signal.SIGKILL):
            time.sleep(0.05)
        if self._patroni:
            self._patroni.wait(10)

    def freeze(self) -> None:
        """Stop all of it, as a machine that hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all of it go on where it stopped."""
        self._signal(signal.SIGCONT)

    def cut_off(self) -> None:
        """Stop all traffic between the node and the others, and close nothing."""
        if self._network:
            self._network.send_signal(signal.SIGSTOP)

    def reconnect(self) -> None:
        """Let traffic go on, with what was on its way."""
        if self._network:
            self._network.send_signal(signal.SIGCONT)

    def leads(self) -> bool:
        """Return True if the node takes writes, as Patroni tells the balancer."""
        try:
            return self.rest.get("/primary", timeout=1).status_code == 200
        except httpx2.TransportError:
            return False

    def rows(self, sql: str, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Return the query's rows on this node. Raise psycopg.Error."""
        conninfo = f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"
        with psycopg.connect(conninfo, connect_timeout=2, autocommit=True) as found:
            cursor = found.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def _signal(self, number: signal.Signals) -> int:
        """Signal each process of the node; return their number.

        Patroni runs in the node's directory, and PostgreSQL in one below it.
        """
        count = 0
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):  # It ended meanwhile, or is another user's.
                if link.readlink().is_relative_to(self.directory):
                    os.kill(int(link.parent.name), number)
                    count += 1
        return count
