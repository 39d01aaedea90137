"""Installed programs, and processes that end with the one that started them."""

import getpass
import os
import random
import shutil
import socket

# Debian's servers are not all in the PATH of a user who is not root.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

_given_ports: set[int] = set()


class NotInstalledError(Exception):
    """A program is not there; the message says what to install."""


class ServerError(Exception):
    """A server did not do what it should; the message has the end of its log."""


def program(name: str, package: str) -> str:
    """Return the path of a program. Raise NotInstalledError if it is not there."""
    path = shutil.which(name, path=PATH)
    if not path:
        raise NotInstalledError(f"{name} is not there: apt-get install {package}")
    return path


def require(needed: dict[str, str]) -> None:
    """Raise NotInstalledError if a file or a program is not there.

    `needed` has the Debian package of each.
    """
    packages = sorted(
        {
            package
            for file, package in needed.items()
            if not shutil.which(file, path=PATH, mode=os.F_OK)
        }
    )
    if packages:
        raise NotInstalledError(f"first: apt-get install {' '.join(packages)}")


def free_port() -> int:
    """Return a loopback port that nobody uses.

    It is outside the range that clients are given, so that it stays free.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            if port not in _given_ports and probe.connect_ex(("127.0.0.1", port)):
                _given_ports.add(port)
                return port


def run_as(user: str) -> str:
    """Return the user for a server that refuses root: `user`, if this is root."""
    return getpass.getuser() if os.geteuid() else user


def dying_with_us(signal: str) -> list[str]:
    """Return a prefix for a command that gets the signal when its parent ends.

    Its parent is the thread that starts it. Only on Linux.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--pdeathsig={signal}"] if setpriv else []
