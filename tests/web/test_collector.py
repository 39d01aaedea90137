"""Garbage collector: it leaves the start alone, and frees what comes later."""

import subprocess
import sys

PROGRAM = """
import gc, weakref
from peewee_app.web import collector

class Cycle:
    def __init__(self):
        self.itself = self

def count(cycles):
    return sum(cycle() is not None for cycle in cycles)

collector.LOADED = 0.1
loop = collector.new_event_loop()
of_the_start = [weakref.ref(Cycle()) for _ in range(10)]
loop.call_later(0.3, loop.stop)
loop.run_forever()
loop.close()
assert count(of_the_start) == 0
frozen = gc.get_freeze_count()
assert frozen > len(gc.get_objects())
for _ in range(10):
    later = [weakref.ref(Cycle()) for _ in range(collector.NEW_OBJECTS)]
    assert count(later) < collector.NEW_OBJECTS
assert gc.get_freeze_count() <= frozen
"""


def test_cycles_are_freed_before_and_after() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
