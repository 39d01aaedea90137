"""A watchdog, as a machine has one that resets it when it hangs."""

import os
import re
import shutil
from pathlib import Path

from peewee_app.fastapi_peewee.engines.connection import readable

from . import programs


class Watchdog:
    """A pipe in place of the device; Patroni has a driver for it, for its own tests.

    Patroni on the primary writes how many seconds it may be silent, and then something
    each time that it has renewed its lock.
    """

    _end: int

    def __init__(self, pipe: Path) -> None:
        self.pipe = pipe

    def prepare(self) -> None:
        """Make the pipe, and open this end, which Patroni waits for."""
        os.mkfifo(self.pipe, 0o600)
        shutil.chown(self.pipe, programs.USER)
        self._end = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)

    def wait(self) -> None:
        """Wait until Patroni is silent for too long."""
        written = os.read(self._end, 1 << 16)
        seconds = int(re.findall(rb"timeout=(\d+)", written)[-1])
        while readable(self._end, seconds) and os.read(self._end, 1 << 16):
            pass

    def close(self) -> None:
        """Close this end."""
        os.close(self._end)
