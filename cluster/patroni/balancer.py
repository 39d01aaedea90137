"""HAProxy in front of the nodes: one address, behind which is always the primary."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.processes import free_port

from ..haproxy import DEFAULTS, haproxy
from .nodes import Node

# Patroni answers 200 on the primary only, and only while it holds the lock in etcd.
CONFIG = """\
{defaults}
listen primary
    bind 127.0.0.1:{port}
    option httpchk OPTIONS /primary
    http-check expect status 200
    timeout check 1s
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


@contextmanager
def balancer(nodes: list[Node]) -> Iterator[int]:
    """Yield the port of a HAProxy that sends connections to the primary."""
    with tempfile.TemporaryDirectory(prefix="haproxy-") as directory:
        port = free_port()
        servers = [
            f"    server {node.name} 127.0.0.1:{node.port} check port {node.rest_port}"
            for node in nodes
        ]
        config = CONFIG.format(defaults=DEFAULTS, port=port, servers="\n".join(servers))
        with haproxy(Path(directory), config, port):
            yield port
