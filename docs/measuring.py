"""Command line of the programs here that measure: the database, or a new one."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from harness.servers import Postgresql, running


@contextmanager
def sqlite_file() -> Iterator[str]:
    """Yield the URL of a new SQLite file; remove it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/measured.db"


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the URL of a new PostgreSQL server; remove it at the end."""
    with running(Postgresql) as server:
        yield server.url()


def run(
    main: Callable[[str], None], default: Callable[[], AbstractContextManager[str]]
) -> None:
    """Call `main`, a program's, with the URL of its command line, or with the default.

    Its help is the docstring of the program.
    """
    program = sys.modules[main.__module__]
    name = program.__spec__.name if program.__spec__ else None
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=program.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "url", metavar="DATABASE_URL", nargs="?", help="an empty database"
    )
    if url := parser.parse_args().url:
        main(url)
    else:
        with default() as url:
            main(url)
