"""HAProxy in front of the nodes: one address, behind which a node may die."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.processes import PATH, free_port

from ..haproxy import DEFAULTS, haproxy
from .nodes import Node

# Asks if the node takes part in the group, since an open port is not enough: a node
# that lost the others, or is catching up, refuses every query.
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

{defaults}
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
    """Yield the port of a HAProxy that spreads connections over the ready nodes.

    When a node dies, its connections are closed within about a second.
    """
    with tempfile.TemporaryDirectory(prefix="haproxy-") as name:
        directory = Path(name)
        port = free_port()
        servers = [f"    server {node.name} 127.0.0.1:{node.port}" for node in nodes]
        check = directory / "check"
        check.write_text(CHECK)
        check.chmod(0o755)
        config = CONFIG.format(
            defaults=DEFAULTS,
            port=port,
            path=PATH,
            directory=directory,
            servers="\n".join(servers),
        )
        with haproxy(directory, config, port):
            yield port
