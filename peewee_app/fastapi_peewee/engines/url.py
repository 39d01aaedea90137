"""Database URLs, taken apart."""

import re

# Seconds that a statement may take, unless the URL says otherwise.
STATEMENT_TIMEOUT = 10.0

# URL of a server, in which no part of a password can be taken for something else.
SERVER_URL = re.compile(r"\w+://([^@/?#]*@)?[^@]*")
# Our own option.
OPTION = re.compile(r"(?<=[?&])statement_timeout=([^&]*)&?")


def is_in_memory(url: str) -> bool:
    """Return whether the database is in the memory of the process that opens it."""
    return url.partition("?")[0] in ("sqlite://", "sqlite:///", "sqlite:///:memory:")


def without_password(url: str) -> str:
    """Return the URL, fit to be logged: without a password and without options."""
    start, slashes, rest = url.partition("?")[0].partition("://")
    user, at, place = rest.rpartition("@")
    return start + slashes + user.partition(":")[0] + at + place


def check_server_url(url: str) -> None:
    """Raise ValueError if part of a password may be parsed as something else.

    A driver would repeat that part in its message.
    """
    if not SERVER_URL.fullmatch(url):
        raise ValueError(
            "the URL: in a user name, a password or an option, @ is written %40, "
            "/ %2F, ? %3F and # %23"
        )


def take_statement_timeout(url: str) -> tuple[str, float]:
    """Return the URL without our own option `statement_timeout`, and its seconds.

    Raises ValueError if they are not 0.1 to 3600.
    """
    option = OPTION.search(url)
    if not option:
        return url, STATEMENT_TIMEOUT
    try:
        seconds = float(option[1])
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 3600:
        raise ValueError("statement_timeout should be 0.1 to 3600 seconds")
    return OPTION.sub("", url).rstrip("?&"), seconds
