"""Files of a SQLite database, which must stay the ones that were opened.

SQLite finds the log of a database by its name, `name-wal`, and trusts it. A file that
was put in the place of another has the other's log beside it, and gets its pages.
"""

import os
import struct
from contextlib import suppress
from functools import cache

from .errors import ReplacedError

# An attribute of the log: the inodes of its database and of itself. A copy has others.
OWNER = "user.peewee_app.owner"

# The counter of changes on the first page of a database; size of a page and salt of a
# log; number and salt of a page in it: https://www.sqlite.org/fileformat.html
PAGE_1 = struct.Struct(">24xI")
LOG = struct.Struct(">8xI4x8s8x")
LOG_PAGE = struct.Struct(">I4x8s8x")

# Paths of files, and their inodes; None where there is none.
Inodes = tuple[tuple[str, int | None], ...]


class Files:
    """Files of one database, as this process has first opened them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode: int | None = None
        self._lost: str | None = None

    def check_before_open(self) -> None:
        """Raise ReplacedError if opening it would spoil the database."""
        if self._lost:
            raise self.error()
        inode = inode_of(self.path)
        if inode is None:
            return  # SQLite makes it, or says that there is none.
        fits = inode == self._inode or (self._inode is None and log_fits(self.path))
        if not fits or not is_owned(self.path):
            raise self.error()

    def error(self) -> ReplacedError:
        """Return the error that tells the files' state."""
        path = self.path
        replaced = (
            f"{path} was replaced, and {path}-wal is not its own. Stop the app, delete "
            f"{path}-wal and {path}-shm, and start the app."
        )
        return ReplacedError(self._lost or replaced)

    def opened(self) -> tuple[Inodes, Inodes]:
        """Remember the files, which have just been opened.

        Returns those that must stay, and the log's index, which is missed only when
        another process opens the database.
        """
        database, log, index = (
            (path, inode_of(path))
            for path in (self.path, f"{self.path}-wal", f"{self.path}-shm")
        )
        self._inode = self._inode or database[1]
        if log[1]:
            with suppress(OSError, AttributeError):  # Not on every system.
                os.setxattr(log[0], OWNER, owner_of(self.path))
        return (database, log), (index,)

    def are_there(self, files: Inodes) -> bool:
        """Return whether the files are still the ones that were opened."""
        for path, inode in files:
            if inode_of(path) == inode:
                continue
            # Not where all are gone, with their directory.
            if path != self.path and inode_of(self.path) == self._inode:
                self._lost = f"{path} was deleted while it was open. Restart the app."
            return False
        return True


def inode_of(path: str) -> int | None:
    """Return the inode of the file; None if there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def owner_of(path: str) -> bytes:
    """Return the log's attribute that fits this database."""
    return f"{inode_of(path)} {inode_of(f'{path}-wal')}".encode()


def is_owned(path: str) -> bool:
    """Return False if the log was opened with another file than this one."""
    try:
        database, log = os.getxattr(f"{path}-wal", OWNER).split()
    except (OSError, AttributeError):
        return True
    database_now, log_now = owner_of(path).split()
    return database == database_now or log != log_now


def log_fits(path: str) -> bool:
    """Return False if the log goes on from a later state of the database.

    A change of the first page counts up the counter that is on it. So the database,
    which gets its pages from the log, is behind its first page there by one at most.
    """
    try:
        with open(f"{path}-wal", "rb") as log:
            size, salt = LOG.unpack(log.read(LOG.size))
            while True:
                number, log_salt = LOG_PAGE.unpack(log.read(LOG_PAGE.size))
                if log_salt != salt:  # It is left from an earlier round.
                    return True
                if number == 1:
                    (counter,) = PAGE_1.unpack(log.read(PAGE_1.size))
                    break
                log.seek(size, os.SEEK_CUR)
        # Read after the log, since others may write: it can only be later.
        start = os.pread(descriptor(path, os.stat(path).st_ino), PAGE_1.size, 0)
        return bool(counter - 1 <= PAGE_1.unpack(start)[0])
    except (OSError, struct.error):  # There is none, or it ends there.
        return True


@cache
def descriptor(path: str, _inode: int) -> int:
    """Return a descriptor of the database, which stays open.

    Closing one would drop this process's locks on the database, also those of other
    connections.
    """
    return os.open(path, os.O_RDONLY)
