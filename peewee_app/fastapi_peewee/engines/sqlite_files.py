"""The files of a SQLite database: they have to stay the ones that were opened.

SQLite finds the log of a database by its name, `name-wal`, and trusts it. A file that
was put in the place of another has the other's log beside it, and gets its pages.
"""

import os
import struct
from contextlib import suppress
from typing import BinaryIO

from .errors import ReplacedError

# An attribute of the log: the inodes of its database and of itself. A copy has others.
OWNER = "user.peewee_app.owner"

# Parts of the first page of a database, and of the headers of a log and of its pages;
# https://www.sqlite.org/fileformat.html has them.
PAGE_1 = struct.Struct(">16sH2B4xI")
LOG = struct.Struct(">8xI4x8s8x")
LOG_PAGE = struct.Struct(">II8s8x")
MAGIC = b"SQLite format 3\0"
WAL = 2
# Readings of a log before it is taken for another file's: one in use changes meanwhile.
READINGS = 5

# Paths of files, and their inodes; None where there is none.
Inodes = tuple[tuple[str, int | None], ...]


class Files:
    """The files of one database, as this process has opened them first."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode: int | None = None
        self._lost: str | None = None

    def check_before_open(self) -> None:
        """Raise ReplacedError if to open the database would spoil it."""
        if self._lost:
            raise self.error()
        inode = inode_of(self.path)
        if inode is None:
            return  # SQLite makes it, or says that there is none.
        if self._inode not in (None, inode) or not is_owned(self.path):
            raise self.error()
        if self._inode is None and not any(
            log_fits(self.path) for _ in range(READINGS)
        ):
            raise self.error()

    def error(self) -> ReplacedError:
        """Return the error that says what has become of the files."""
        path = self.path
        replaced = (
            f"{path} was replaced, and {path}-wal is not its own. Stop the app, delete "
            f"{path}-wal and {path}-shm, and start the app."
        )
        return ReplacedError(self._lost or replaced)

    def opened(self) -> tuple[Inodes, Inodes]:
        """Remember the files, which have just been opened.

        Returns those that are needed, and the index of the log, which is missed only
        when another process opens the database.
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
    """Return the number of the file; None if there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def owner_of(path: str) -> bytes:
    """Return what the attribute of the log of this database has to be."""
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
    """Return False if the log cannot be that of the database, by what is in them.

    A change of the first page counts up the counter that is on it. So the counter of
    the database is that of a first page in the log, or that of the page before them.
    """
    try:
        with open(f"{path}-wal", "rb") as log:
            start = first_page(path)  # Before the log, which may go on.
            page_size, counters = read_log(log)
    except OSError:
        return True
    if page_size is None or not start.startswith(MAGIC) or len(start) < PAGE_1.size:
        return True
    _, size, written, read, counter = PAGE_1.unpack(start)
    if (size, written, read) != (page_size % 65535, WAL, WAL):
        return False
    return not counters or counters[0] - 1 <= counter <= counters[-1]


def read_log(log: BinaryIO) -> tuple[int | None, list[int]]:
    """Return the size of the log's pages, and the counters of its first pages.

    None, if nothing was committed to it.
    """
    header = log.read(LOG.size)
    if len(header) < LOG.size:
        return None, []
    size, salt = LOG.unpack(header)
    committed: list[int] = []
    pending: list[int] = []
    found = None
    while len(header := log.read(LOG_PAGE.size)) == LOG_PAGE.size:
        number, commit, page_salt = LOG_PAGE.unpack(header)
        if page_salt != salt:  # It is left from an earlier round.
            break
        start = log.read(PAGE_1.size)
        if number == 1 and len(start) == PAGE_1.size and start.startswith(MAGIC):
            pending.append(PAGE_1.unpack(start)[-1])
        log.seek(size - PAGE_1.size, os.SEEK_CUR)
        if commit:
            found = size
            committed += pending
            pending = []
    return found, committed


# Descriptors of databases, by their inodes. They stay open: to close one would take
# this process's locks from the database, those of other connections too.
_descriptors: dict[int, int] = {}


def first_page(path: str) -> bytes:
    """Return the beginning of the database."""
    inode = os.stat(path).st_ino
    if inode not in _descriptors:
        _descriptors[inode] = os.open(path, os.O_RDONLY)
    return os.pread(_descriptors[inode], PAGE_1.size, 0)
