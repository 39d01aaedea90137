"""Files of a SQLite database, which must stay the ones that were opened.

SQLite finds the log of a database by its name, `name-wal`, and trusts it. A file that
was put in the place of another has the other's log beside it, and gets its pages.
"""

import os
import struct
import time
from contextlib import suppress
from functools import cache
from itertools import count

from .errors import ReplacedError

# Start of the name of a log's attribute, whose value is the inode of the database. The
# name ends with the log's own inode, so that a copy of the log has none.
OWNER = "user.peewee_app.owner"

# Size of a page and salt of a log, and bytes of its header; number of a page in it, its
# salt, and the counter of changes if it is the first page of the database, and bytes of
# the page's header: https://www.sqlite.org/fileformat.html
LOG, LOG_HEADER = struct.Struct(">8xI4x8s"), 32
PAGE, PAGE_HEADER = struct.Struct(">I4x8s8x24xI"), 24

# Nanoseconds after which another change has another time: file systems count slowly.
SETTLED = 2_000_000_000

# Of the database, its log and the log's index; None where there is no file.
Inodes = list[int | None]


class Files:
    """Files of one database, as this process has first opened them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode: int | None = None
        self._lost: str | None = None
        # When the directory was changed last, and the files that were in it since.
        self._seen: tuple[int | None, Inodes] | None = None

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

    def opened(self) -> Inodes:
        """Return the files' inodes, and remember them: they have just been opened."""
        inodes = inodes_of(self.path)
        self._inode = self._inode or inodes[0]
        with suppress(OSError, AttributeError):  # Not on every system.
            os.setxattr(f"{self.path}-wal", *owner_of(self.path))
        return inodes

    def are_there(self, opened: Inodes) -> bool:
        """Return whether the files are still the ones that were opened.

        It costs one call of the system while nothing in their directory is made,
        renamed or removed: in each call another thread may take the interpreter.
        """
        changed = time_of_change(os.path.dirname(self.path))
        if changed and self._seen == (changed, opened):
            return True
        now = inodes_of(self.path)
        # Not where all are gone, with their directory.
        if now != opened and now[0] == self._inode:
            name = self.path + ("-wal" if now[1] != opened[1] else "-shm")
            self._lost = f"{name} was deleted while it was open. Restart the app."
        is_settled = changed and time.time_ns() - changed > SETTLED
        # What a link leads to may be in another directory.
        if now == opened and is_settled and not os.path.islink(self.path):
            self._seen = changed, opened
        return now == opened


def time_of_change(directory: str) -> int | None:
    """Return when the directory was changed last, in nanoseconds.

    It is no time of modification, which a program may set back.
    """
    try:
        return os.stat(directory).st_ctime_ns
    except OSError:
        return None


def inode_of(path: str) -> int | None:
    """Return the inode of the file; None if there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def inodes_of(path: str) -> Inodes:
    """Return the inodes of the database's files."""
    return [inode_of(path), inode_of(f"{path}-wal"), inode_of(f"{path}-shm")]


def owner_of(path: str) -> tuple[str, bytes]:
    """Return the log's attribute, and its value, that fit this database."""
    return f"{OWNER}.{inode_of(f'{path}-wal')}", str(inode_of(path)).encode()


def is_owned(path: str) -> bool:
    """Return False if the log was opened with another file than this one."""
    name, value = owner_of(path)
    try:
        return os.getxattr(f"{path}-wal", name) == value
    except (OSError, AttributeError):
        return True


def log_fits(path: str) -> bool:
    """Return False if the log goes on from a later state of the database.

    A change of the first page counts up the counter that is on it. So the database,
    which gets its pages from the log, is behind its first page there by one at most.
    """
    try:
        with open(f"{path}-wal", "rb") as log:
            size, salt = LOG.unpack(log.read(LOG.size))
            for start in count(LOG_HEADER, PAGE_HEADER + size):
                log.seek(start)
                number, page_salt, counter = PAGE.unpack(log.read(PAGE.size))
                if page_salt != salt:  # It is left from an earlier round.
                    return True
                if number == 1:
                    break
        # Read after the log, since others may write: it can only be later.
        database = descriptor(path, os.stat(path).st_ino)
        return bool(counter - 1 <= int.from_bytes(os.pread(database, 4, 24)))
    except (OSError, struct.error):  # There is none, or it ends there.
        return True


@cache
def descriptor(path: str, _inode: int) -> int:
    """Return a descriptor of the database, which stays open.

    Closing one would drop this process's locks on the database, also those of other
    connections.
    """
    return os.open(path, os.O_RDONLY)
