"""Programs that a node needs, and how they are started."""

import os
import subprocess
from pathlib import Path

from harness.processes import PATH, dying_with_us, run_as

# Debian keeps each version of PostgreSQL in a directory of its own.
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
# Files that must be there, and the Debian package of each.
NEEDED = {
    f"{BIN}/postgres": "postgresql",
    "patroni": "patroni",
    "etcd": "etcd-server",
    "haproxy": "haproxy",
}
# PostgreSQL refuses to run as root.
USER = run_as("postgres")


def start(*command: str | Path, directory: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a program as the directory's owner; append to the log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [*dying_with_us("TERM"), *command],
            cwd=directory,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
            user=USER if os.geteuid() == 0 else None,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Control-C in a terminal is for this script, which stops the servers.
            start_new_session=True,
        )
