"""App on real clusters, Galera and Patroni, whose nodes fail and come back."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from peewee import OperationalError

from cluster.galera.nodes import DATABASE, cluster
from cluster.galera.nodes import NEEDED as GALERA_NEEDS
from cluster.galera.run import NODES, PROCESSES, RACES
from cluster.galera.run import run as run_galera
from cluster.patroni.programs import NEEDED as PATRONI_NEEDS
from cluster.patroni.run import run as run_patroni
from harness.processes import require
from peewee_app.fastapi_peewee import connector
from peewee_app.fastapi_peewee.engines import mysql
from peewee_app.migrations import migrate

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    require(GALERA_NEEDS | PATRONI_NEEDS)


def test_a_galera_node_dies_under_load_and_returns() -> None:
    report = run_galera()
    print(report.text())
    tally = report.tally
    assert report.broken_promises() == []
    assert len(tally.items) > 50
    assert len(tally.users) > 5
    # 503 is for the moment of the failover.
    assert set(tally.statuses()) <= {200, 503}
    assert set(tally.statuses(until=report.killed)) == {200}
    # It got the part that it had missed, and then served.
    assert "IST" in report.transfer
    assert len(report.nodes) == NODES
    for state in report.nodes.values():
        assert state.stored.found == len(tally.users) + len(tally.items)
        assert state.stored.lost == 0
        assert state.stored.doubled == 0
    assert all(report.connections.values())
    # There were conflicts. Each had one winner, and the others saw a 400.
    assert report.race.across_nodes > 0
    assert report.race.won_once == RACES
    assert report.race.statuses == {200: RACES, 400: RACES * PROCESSES}
    assert report.retries > 0
    assert report.increments.values == [report.increments.acknowledged] * NODES


def test_patroni_in_synchronous_mode_loses_nothing_acknowledged() -> None:
    report = run_patroni(["lag", "watchdog", "cut", "switchover", "etcd"], [True])
    print(report.text())
    assert report.broken_promises() == []
    for outcome in report.outcomes:
        for side in outcome.sides.values():
            assert side.lost == 0
            assert side.doubled == 0
            assert side.tally.written(outcome.whole)


def test_patroni_without_synchronous_mode_loses_what_was_acknowledged() -> None:
    report = run_patroni(["cut"], [False])
    print(report.text())
    # Nothing else is broken, and the loss is not missed.
    assert report.broken_promises() == []
    (outcome,) = report.outcomes
    for side in outcome.sides.values():
        assert side.lost > 0
        assert side.tally.written(outcome.whole)


@pytest.mark.parametrize("name", ["galera", "patroni"])
def test_interrupted_it_leaves_nothing_behind(name: str) -> None:
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)  # The servers run as another user.
    command = [sys.executable, "-m", "cluster", name]
    with subprocess.Popen(
        # Like a shell's background job, which ignores SIGINT.
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        env=os.environ | {"TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as script:
        assert script.stdout
        output = []
        for line in script.stdout:
            output.append(line)
            if "load begins" in line:
                break
        assert len(programs_in(directory)) >= NODES + 1  # The nodes and HAProxy.
        script.send_signal(signal.SIGTERM)
        output += script.stdout
    assert output[-1] == "interrupted; everything is stopped\n"
    assert "Traceback" not in "".join(output)
    assert programs_in(directory) == []
    directory.rmdir()  # Fails if there is anything in it.


def programs_in(directory: Path) -> list[str]:
    """Return the command lines of running programs that name the directory."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(file.read_text().replace("\0", " "))
    return [line for line in lines if str(directory) in line]


def test_a_lock_left_behind_stops_the_start_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mysql, "CLUSTER_LOCK_TIMEOUT", 0.5)
    with cluster(1) as (node,):
        node.rows(f"CREATE TABLE {DATABASE}.{mysql.CLUSTER_LOCK} (id INTEGER)")
        with pytest.raises(OperationalError, match="drop the table"):
            migrate(connector(node.url))
        node.rows(f"DROP TABLE {DATABASE}.{mysql.CLUSTER_LOCK}")
        migrate(connector(node.url))
        tables = node.rows(f"SHOW TABLES IN {DATABASE}")
    assert {name for (name,) in tables} == {"users", "items", "schema_migration"}
