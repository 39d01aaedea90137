"""What every cluster wants of this machine: programs, ports, somebody to run as."""

import getpass
import os
import random
import shutil
import socket
import sys
import time

# Debian's servers are not all in the PATH of somebody who is not root.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

_given_ports: set[int] = set()


class NodeError(Exception):
    """A node, or what it needs, did not do what it was asked to; a log says why."""


def missing(needed: dict[str, str]) -> list[str]:
    """The Debian packages that have to be installed first, of programs and theirs."""
    return sorted(
        {
            package
            for file, package in needed.items()
            if not shutil.which(file, path=PATH, mode=os.F_OK)
        }
    )


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses, outside the range that clients are given."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            if port not in _given_ports and probe.connect_ex(("127.0.0.1", port)):
                _given_ports.add(port)
                ports.append(port)
    return ports


def run_as(user: str) -> str:
    """Whom a server runs as that refuses root: the user, if this is root."""
    return getpass.getuser() if os.geteuid() else user


def say(text: str) -> None:
    """Tell what is being done, while it takes its time."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
