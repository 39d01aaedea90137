"""HAProxy in front of the nodes: one address, behind which a node may die."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .nodes import PATH, Node, NodeError, free_ports

# A node answers when it takes part in the group, and not merely when its port is open:
# one that lost the others, or is still catching up, refuses every query.
CHECK = """\
#!/bin/sh
# HAProxy runs this with: its own address and port, the node's address and port.
mariadb --no-defaults --host="$3" --port="$4" --user=health --connect-timeout=2 \\
    -Nse "SHOW GLOBAL STATUS LIKE 'wsrep_ready'" | grep -q ON
"""

CONFIG = """\
global
    external-check
    insecure-fork-wanted

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

listen galera
    bind 127.0.0.1:{port}
    balance leastconn
    option external-check
    external-check path "{path}"
    external-check command {directory}/check
    default-server check inter 500ms fall 2 rise 2 on-marked-down shutdown-sessions
{servers}
"""


@contextmanager
def balancer(nodes: list[Node]) -> Iterator[int]:
    """The port of a HAProxy that spreads connections over the nodes that are ready.

    When a node dies, its connections are closed within about a second.
    """
    with tempfile.TemporaryDirectory(prefix="haproxy-") as name:
        directory = Path(name)
        (port,) = free_ports(1)
        servers = [f"    server {node.name} 127.0.0.1:{node.port}" for node in nodes]
        config = directory / "haproxy.cfg"
        config.write_text(
            CONFIG.format(
                port=port,
                path=PATH,
                directory=directory,
                servers="\n".join(servers),
            )
        )
        check = directory / "check"
        check.write_text(CHECK)
        check.chmod(0o755)
        log = directory / "haproxy.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["haproxy", "-db", "-f", config],
                env=os.environ | {"PATH": PATH},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(port, process, log)
            yield port
        finally:
            process.kill()
            process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the process listens. Raises NodeError if it ends instead."""
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            if process.poll() is not None:
                raise NodeError(f"haproxy did not start:\n{log.read_text()}")
            time.sleep(0.05)
