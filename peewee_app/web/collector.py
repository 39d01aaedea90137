"""Python's garbage collector in a served process, with less to look through.

It looks through all objects that are there again and again. Most of a server's are
made at its start, and stay.
"""

import asyncio
import gc

from . import affinity

# Seconds until the app is loaded, which keeps the loop busy.
LOADED = 1
# New objects that make it look. By default some 700: fewer than a page of users has.
NEW_OBJECTS = 5_000


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make uvicorn's event loop for a process on one core, for `--loop`.

    The collector leaves alone what its start has made.
    """
    loop = affinity.new_event_loop()
    loop.call_later(LOADED, leave_alone)
    return loop


def leave_alone() -> None:
    """Have the collector leave alone what is there, and look less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
