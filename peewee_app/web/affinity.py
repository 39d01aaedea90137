"""One core for one interpreter.

The threads of a process share one interpreter, so a second core does no work for it: it
only makes each handover slower. `python -m docs.measure_cores` shows what that
costs. So the process stays on the core that others use least.
"""

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from uvicorn.loops.auto import auto_loop_factory

STAT = Path("/proc/stat")
# Seconds until the first look, which needs some history.
FIRST_LOOK = 0.5
# Seconds from one look to the next. Random, so that of two processes on one core, one
# moves and the other finds itself alone.
LOOK_EVERY = (1.0, 3.0)
# Part of a core that a move must gain.
MARGIN = 0.2


class OneCore:
    """Keep the threads of this process on one of these cores."""

    def __init__(self, cores: set[int]) -> None:
        self.cores = cores
        self.core: int | None = None
        # Threads that need no interpreter at present, by their native ids.
        self.free: set[int] = set()
        self._before = ticks()
        self._own_before = time.process_time()

    def keep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look now, and from time to time, until the cores are taken away."""
        try:
            self._look()
        except (OSError, KeyError):
            with suppress(OSError):
                self._move(self.cores)
        else:
            loop.call_later(random.uniform(*LOOK_EVERY), self.keep, loop)  # noqa: S311

    def _look(self) -> None:
        """Choose a core, and have all threads there."""
        before, self._before = self._before, ticks()
        own_before, self._own_before = self._own_before, time.process_time()
        use = {core: busy_part(before[core], self._before[core]) for core in self.cores}
        if self.core is not None:
            total = (self._before[self.core][1] - before[self.core][1]) or 1
            own = (self._own_before - own_before) * os.sysconf("SC_CLK_TCK") / total
            use[self.core] = max(0, use[self.core] - own)
        self.core = choose(use, self.core)
        self._move({self.core})

    def _move(self, cores: set[int]) -> None:
        """Let all threads, but those that are free, run on these cores only."""
        for thread in threading.enumerate():
            if thread.native_id and thread.native_id not in self.free:
                with suppress(ProcessLookupError):  # It has ended.
                    os.sched_setaffinity(thread.native_id, cores)


def choose(use: dict[int, float], present: int | None) -> int:
    """Return the best core, from the part of each that others use.

    Of several equal ones, chance decides: else all processes would take the first.
    """
    least = min(use.values())
    if present is not None and use[present] <= least + MARGIN:
        return present
    return random.choice([c for c in use if use[c] <= least + MARGIN / 2])  # noqa: S311


def ticks() -> dict[int, tuple[int, int]]:
    """Return, for each core of the machine, its busy and all its clock ticks so far."""
    found = {}
    for line in STAT.read_text().splitlines():
        name, *rest = line.split()
        if name.startswith("cpu") and name != "cpu":
            numbers = [int(number) for number in rest[:8]]  # The others are in these.
            total = sum(numbers)
            found[int(name[3:])] = total - numbers[3] - numbers[4], total
    return found


def busy_part(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the busy part of the time between two counts."""
    return (after[0] - before[0]) / ((after[1] - before[1]) or 1)


_one_core: OneCore | None = None


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make uvicorn's event loop, which keeps its process on one core: for `--loop`.

    It does no more if the process has one core, or the system tells nothing of cores.
    """
    global _one_core
    loop = auto_loop_factory()()
    with suppress(AttributeError, OSError):  # No affinity; no /proc.
        cores = os.sched_getaffinity(0)
        if len(cores) > 1 and cores <= ticks().keys():
            _one_core = OneCore(cores)
            loop.call_later(FIRST_LOOK, _one_core.keep, loop)
    return loop


@contextmanager
def on_all_cores() -> Iterator[None]:
    """Let this thread, which needs no interpreter, run on all cores."""
    one_core, thread = _one_core, threading.get_native_id()
    if one_core is None or one_core.core is None:
        yield
        return
    one_core.free.add(thread)
    with suppress(OSError):
        os.sched_setaffinity(0, one_core.cores)
    try:
        yield
    finally:
        one_core.free.discard(thread)
        with suppress(OSError):
            os.sched_setaffinity(0, {one_core.core})
