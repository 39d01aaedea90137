"""A MariaDB Galera cluster on this machine, for as long as a block of code runs."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql

from harness.processes import PATH, ServerError, dying_with_us, free_port, run_as

# Files that must be there, and the Debian package of each.
NEEDED = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb": "mariadb-client",
    "haproxy": "haproxy",
    "rsync": "rsync",
    "socat": "socat",
    "/usr/lib/galera/libgalera_smm.so": "galera-4",
}
# Seconds for a node to start and to catch up.
START_TIMEOUT = 60
USER, PASSWORD, DATABASE = "app", "chimichangas4life", "app"
# MariaDB and rsync do not want to run as root.
SERVER_USER = run_as("mysql")

CONFIG = """\
[mysqld]
datadir = {directory}/data
socket = {directory}/mysqld.sock
pid_file = {directory}/mysqld.pid
bind_address = 127.0.0.1
port = {port}
skip_name_resolve = ON
innodb_buffer_pool_size = 64M
innodb_log_file_size = 16M

# What Galera needs.
binlog_format = ROW
innodb_autoinc_lock_mode = 2
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = peewee_app
wsrep_cluster_address = gcomm://{addresses}
wsrep_node_name = {name}
wsrep_node_address = {address}
wsrep_sst_method = rsync
wsrep_sst_receive_address = 127.0.0.1:{sst_port}

# A node that is gone is given up after 2 s of silence, not 5. Until then, no write
# is acknowledged anywhere.
wsrep_provider_options = "\
gmcast.listen_addr=tcp://{address};ist.recv_addr=127.0.0.1:{ist_port};\
gcache.size=64M;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.25S;\
evs.suspect_timeout=PT2S;evs.inactive_timeout=PT6S;evs.install_timeout=PT6S"

# Each statement first waits until this node has what the others had committed: a
# client that was told of a row finds it, and an item finds its user, on any node.
wsrep_sync_wait = 7

# By default the server runs a statement that met a conflict once more by itself.
# Here, every conflict is the app's to survive.
wsrep_retry_autocommit = 0
"""


class Node:
    """One server of the cluster: a process, and a directory that outlives it."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.port, group_port = free_port(), free_port()
        self.sst_port, self.ist_port = free_port(), free_port()
        self.address = f"127.0.0.1:{group_port}"
        self.log = directory / "mysqld.log"
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self, cluster: "list[Node]") -> None:
        """Make the directory, and in it an empty database and the configuration."""
        self.directory.mkdir(mode=0o755)
        config = CONFIG.format(
            **vars(self), addresses=",".join(node.address for node in cluster)
        )
        (self.directory / "my.cnf").write_text(config)
        shutil.chown(self.directory, SERVER_USER)
        install = subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", "--skip-test-db"),
                *(f"--datadir={self.directory}/data", f"--user={SERVER_USER}"),
                *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
                "--innodb-log-file-size=16M",
            ],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
        )
        if install.returncode:
            raise ServerError(f"{self.name}: {install.stdout}{install.stderr}")

    def start(self, *options: str) -> None:
        """Start the server at the position where it stopped.

        Without that position it would get all data, and not only the missed part.
        """
        log = Path(f"{self.log}.recovery")
        self._run("--wsrep-recover", f"--log-error={log}")
        if self._process:
            self._process.wait(START_TIMEOUT)
        if positions := re.findall(r"Recovered position: (\S+)", log.read_text()):
            options = (*options, f"--wsrep-start-position={positions[-1]}")
        self._run(*options, f"--log-error={self.log}")

    def wait_until_synced(self) -> None:
        """Wait until the node takes part. Raise ServerError if it is late."""
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if self.status("wsrep_local_state_comment") == "Synced":
                    return
            except (OSError, pymysql.Error):
                pass
            time.sleep(0.1)
        log = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        raise ServerError(f"{self.name} did not start:\n{log}")

    def kill(self) -> None:
        """Kill the server as if its machine died: kill -9."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(START_TIMEOUT)

    def connect(self) -> "pymysql.Connection[Any]":
        """Connect to the server as its administrator.

        Raise OSError if nothing listens, and pymysql.Error.
        """
        connection = pymysql.connect(
            user="root", autocommit=True, read_timeout=30, defer_connect=True
        )
        # PyMySQL would leave its socket open if it could not connect.
        file = socket.socket(socket.AF_UNIX)
        try:
            file.connect(f"{self.directory}/mysqld.sock")
        except OSError:
            file.close()
            raise
        connection.connect(file)
        return connection

    @property
    def url(self) -> str:
        """Return the URL of the app's database on this node."""
        return database_url(self.port)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the query's rows on this node. Raise pymysql.Error."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def connections(self) -> int:
        """Count the app's connections to this node. Raise pymysql.Error."""
        threads = "information_schema.processlist"
        return len(self.rows(f"SELECT id FROM {threads} WHERE user = '{USER}'"))

    def transfer(self) -> str:
        """Return how the node last caught up, from its log."""
        log = self.log.read_text(errors="replace")
        received = re.findall(r"Receiving IST: (\d+) writesets", log)
        return f"IST of {received[-1]} write sets" if received else "SST"

    def status(self, name: str) -> str:
        """Return a status variable. Raise pymysql.Error."""
        return str(self.rows(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    def _environment(self) -> dict[str, str]:
        return os.environ | {"PATH": PATH, "TMPDIR": str(self.directory)}

    def _run(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [
                *dying_with_us("KILL"),
                *("mariadbd", f"--defaults-file={self.directory}/my.cnf"),
                *(f"--user={SERVER_USER}", *options),
            ],
            cwd=self.directory,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Control-C in a terminal is for this script, which stops the servers.
            start_new_session=True,
        )


def database_url(port: int) -> str:
    """Return the URL of the app's database at a node, or at the balancer."""
    return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"


@contextmanager
def cluster(size: int) -> Iterator[list[Node]]:
    """Yield a cluster of `size` nodes, with a database for the app.

    They are in a temporary directory, and are gone when the block ends. Raise
    ServerError if one does not start.
    """
    with tempfile.TemporaryDirectory(prefix="cluster-") as directory:
        os.chmod(directory, 0o755)
        nodes = [
            Node(f"node{n + 1}", Path(directory, f"node{n + 1}")) for n in range(size)
        ]
        try:
            for node in nodes:
                node.prepare(nodes)
            first, *others = nodes
            first.start("--wsrep-new-cluster")
            first.wait_until_synced()
            first.rows(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
            first.rows(f"CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'")
            first.rows(f"GRANT ALL ON {DATABASE}.* TO {USER}")
            first.rows("CREATE USER health")  # It may see the status, and nothing else.
            for node in others:
                node.start()
                node.wait_until_synced()
            yield nodes
        finally:
            for node in nodes:
                node.kill()
