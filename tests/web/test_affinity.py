"""Core that a process keeps to."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from harness.server import serve
from peewee_app.web.affinity import MARGIN, busy_part, choose

from ..engines import on, skip

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def test_it_goes_where_others_do_least() -> None:
    assert choose({0: 0.9, 1: 0.1, 2: 0.5}, None) == 1
    assert choose({0: 0.9, 1: 0.1}, 0) == 1


def test_it_stays_where_it_is_for_a_small_gain() -> None:
    assert choose({0: MARGIN * 0.9, 1: 0.0}, 0) == 0


def test_processes_that_choose_at_once_spread() -> None:
    chosen = {choose(dict.fromkeys(range(4), 0.0), None) for _ in range(200)}
    assert chosen == {0, 1, 2, 3}


def test_busy_part() -> None:
    assert busy_part((10, 100), (60, 200)) == 0.5
    assert busy_part((10, 100), (10, 100)) == 0


PROGRAM = """
import json, os, sys, threading, time
from pathlib import Path
from peewee_app.web import affinity

if len(sys.argv) > 1:
    os.sched_setaffinity(0, json.loads(sys.argv[1]))
affinity.FIRST_LOOK, affinity.LOOK_EVERY = 0.05, (0.05, 0.05)
seen = {}
loop = affinity.new_event_loop()
ready, done = threading.Event(), threading.Event()

def hash_something():
    with affinity.on_all_cores():
        ready.set()
        done.wait()
        seen["hashing"] = sorted(os.sched_getaffinity(0))
    seen["hashed"] = sorted(os.sched_getaffinity(0))

hashing = threading.Thread(target=hash_something)
other = threading.Thread(target=done.wait)
other.start()

def begin():
    hashing.start()
    ready.wait()

def look():
    seen["loop"] = sorted(os.sched_getaffinity(0))
    seen["other"] = sorted(os.sched_getaffinity(other.native_id))
    done.set()
    hashing.join()
    loop.stop()

loop.call_later(0.3, begin)
loop.call_later(0.6, look)
loop.run_forever()
loop.close()
print(json.dumps(seen))
"""


def run(*arguments: str) -> dict[str, list[int]]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert not found.stderr
    seen: dict[str, list[int]] = json.loads(found.stdout)
    return seen


@pytest.mark.skipif(len(CORES) < 2, reason="It takes a machine with two cores.")
def test_all_threads_are_on_one_core_but_those_that_hash() -> None:
    seen = run()
    assert len(seen["loop"]) == 1
    assert seen["other"] == seen["hashed"] == seen["loop"]
    assert set(seen["hashing"]) == CORES


@pytest.mark.skipif(not CORES, reason="It takes a system that has affinity.")
def test_it_keeps_within_the_cores_that_the_process_has() -> None:
    core = min(CORES)
    assert all(cores == [core] for cores in run(json.dumps([core])).values())


@pytest.mark.parametrize(
    "change",
    ["del os.sched_getaffinity", "affinity.STAT = Path('/missing')"],
)
def test_where_the_system_tells_nothing_it_does_nothing(change: str) -> None:
    program = f"""
import os
from pathlib import Path
from peewee_app.web import affinity
before = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
get = os.sched_getaffinity
{change}
affinity.FIRST_LOOK = 0
loop = affinity.new_event_loop()
loop.call_later(0.1, loop.stop)
loop.run_forever()
loop.close()
assert get(0) == before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(len(CORES) < 2, reason="It takes a machine with two cores.")
def test_where_cores_are_taken_away_it_lets_go() -> None:
    program = """
import os
from peewee_app.web import affinity

cores = os.sched_getaffinity(0)
affinity.FIRST_LOOK, affinity.LOOK_EVERY = 0.05, (0.05, 0.05)
loop = affinity.new_event_loop()

def take_away():
    assert len(os.sched_getaffinity(0)) == 1
    affinity.ticks = dict

loop.call_later(0.3, take_away)
loop.call_later(0.6, loop.stop)
loop.run_forever()
loop.close()
assert os.sched_getaffinity(0) == cores
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def cores_of(pid: int) -> set[int]:
    """Return the cores of the main thread."""
    return set(psutil.Process(pid).cpu_affinity() or ())


@on("sqlite")
def test_the_command_does_so_unless_it_is_told_otherwise(url: str) -> None:
    if len(CORES) < 2:
        skip("It takes a machine with two cores.")
    with serve(url) as server:
        end = time.monotonic() + 60
        while len(cores_of(server.process.pid)) > 1:
            assert time.monotonic() < end
            time.sleep(0.05)
        slots = Path(f"/proc/{server.process.pid}/task")
        httpx2.get(f"{server.base_url}/users/", timeout=60)
        for thread in slots.iterdir():
            assert len(os.sched_getaffinity(int(thread.name))) == 1
    with serve(url, "--loop", "auto") as server:
        httpx2.get(f"{server.base_url}/users/", timeout=60)
        time.sleep(1)
        assert cores_of(server.process.pid) == CORES


@pytest.mark.skipif(len(CORES) < 2, reason="It takes a machine with two cores.")
def test_it_leaves_a_core_that_another_process_keeps_busy(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from peewee_app.web import affinity

affinity.STAT = Path(sys.argv[1])
affinity.FIRST_LOOK, affinity.LOOK_EVERY = 0.1, (0.1, 0.1)
ticks = {core: [0, 0] for core in os.sched_getaffinity(0)}
busy = None

def pass_time():
    for core, (used, idle) in ticks.items():
        ticks[core] = [used + 10 * (core == busy), idle + 10 * (core != busy)]
    lines = (f"cpu{core} {used} 0 0 {idle} 0 0 0 0 0 0\\n"
             for core, (used, idle) in ticks.items())
    affinity.STAT.with_suffix(".new").write_text("".join(lines))
    affinity.STAT.with_suffix(".new").rename(affinity.STAT)
    loop.call_later(0.05, pass_time)

def disturb():
    global busy
    busy = min(os.sched_getaffinity(0))
    loop.call_later(0.1, look)

def look():
    if os.sched_getaffinity(0) == {busy}:
        loop.call_later(0.1, look)
    else:
        loop.stop()

affinity.STAT.write_text("".join(f"cpu{core} 0 0 0 0 0 0 0 0\\n" for core in ticks))
loop = affinity.new_event_loop()
pass_time()
loop.call_later(0.5, disturb)
loop.run_forever()
loop.close()
"""
    command = [sys.executable, "-c", program, f"{tmp_path}/stat"]
    subprocess.run(command, check=True, timeout=60)
