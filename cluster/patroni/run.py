"""Run the app on the cluster, and one scenario after the other under load."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from hashlib import sha256
from uuid import uuid4

from harness.clients import Client, Stored, Tally, compare

from ..apps import Apps
from ..progress import say
from .balancer import balancer
from .cluster import Cluster, cluster
from .nodes import DATABASE, Node
from .report import Outcome, Report, Side
from .scenarios import SCENARIOS

NODES = 3
# Processes of the app, and clients, for each way to the database.
PROCESSES = 2
CLIENTS = 6
# Seconds of load before the fault, and when all nodes are there again.
BEFORE, AFTER = 2, 2


def run(scenarios: Iterable[str], modes: Iterable[bool] = (False, True)) -> Report:
    """Run the scenarios in each mode: False is asynchronous, True is synchronous.

    The app's processes stay the same all the time. Raise ServerError if
    something does not start, or does not come back.
    """
    return asyncio.run(work([(name, mode) for mode in modes for name in scenarios]))


async def work(scenarios: list[tuple[str, bool]]) -> Report:
    """Start everything, run the scenarios, each in its mode, then stop everything."""
    report = Report()
    say("starting the nodes")
    async with AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(cluster(NODES))
        port = stack.enter_context(balancer(nodes.nodes))
        say("starting processes of the app")
        ways = {
            way: await stack.enter_async_context(Apps(url))
            for way, url in urls(nodes.nodes, port).items()
        }
        for apps in ways.values():
            for _ in range(PROCESSES):
                await apps.add()
        for name, synchronous in scenarios:
            await nodes.configure(synchronous_mode=synchronous)
            report.outcomes.append(await outcome(nodes, ways, name, synchronous))
    return report


def urls(nodes: list[Node], port: int) -> dict[str, str]:
    """Return the app's two ways to the database."""
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    start, end = f"postgresql://{DATABASE}@", f"/{DATABASE}?statement_timeout=3"
    return {
        "URL": f"{start}{hosts}{end}&target_session_attrs=read-write",
        "HAProxy": f"{start}127.0.0.1:{port}{end}",
    }


def stored(node: Node, tally: Tally) -> Stored:
    """Compare the node's rows with the clients' answers."""
    users = node.rows("SELECT email, id FROM users")
    items = node.rows("SELECT title, id FROM items")
    return compare(tally, users, items)


def checksum(node: Node) -> str:
    """Return a checksum of all the app's rows."""
    rows = node.rows("SELECT * FROM users ORDER BY id")
    rows += node.rows("SELECT * FROM items ORDER BY id")
    return sha256(repr(rows).encode()).hexdigest()


async def outcome(
    nodes: Cluster, ways: dict[str, Apps], scenario: str, synchronous: bool
) -> Outcome:
    """Run a scenario under load; compare stored rows with the answers."""
    mode = "synchronous" if synchronous else "asynchronous"
    say(f"load begins: {scenario}, {mode}")
    tallies = {way: Tally() for way in ways}
    stop = asyncio.Event()

    async def service(since: float = 0) -> None:
        await nodes.wait(
            "service", lambda: all(tally.written(since) for tally in tallies.values())
        )

    async with asyncio.TaskGroup() as group:
        for way, apps in ways.items():
            for _ in range(CLIENTS):
                # The same scenario may have run before.
                name = f"{scenario}-{uuid4().hex}"
                client = Client(name, apps.clients, tallies[way])
                group.create_task(client.run(stop))
        await service()
        await asyncio.sleep(BEFORE)
        begin = time.monotonic()
        await SCENARIOS[scenario](nodes)
        await nodes.whole()
        whole = time.monotonic()
        say(f"all nodes are there again after {whole - begin:.0f} s")
        await service(since=whole)
        await asyncio.sleep(AFTER)
        stop.set()
    await nodes.whole()
    sides = {
        way: Side(tally, [stored(node, tally) for node in nodes.nodes])
        for way, tally in tallies.items()
    }
    checksums = [checksum(node) for node in nodes.nodes]
    return Outcome(scenario, synchronous, sides, checksums, begin, whole)
