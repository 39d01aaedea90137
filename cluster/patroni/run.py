"""Runs the app on the cluster, and one scenario after the other under load."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack

from ..apps import Apps
from ..load import Client, Tally
from ..machine import say
from ..stored import compare
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
BEFORE, AFTER = 3, 3


def run(scenarios: Iterable[str], modes: Iterable[bool] = (False, True)) -> Report:
    """Run the scenarios, each without synchronous mode (False), with it (True) or both.

    The app's processes stay the same all the time. Raises NodeError or AppError if
    something does not start, or does not come back.
    """
    report = Report()
    say("starting the nodes")
    with cluster(NODES) as nodes, balancer(nodes.nodes) as port:
        asyncio.run(work(nodes, urls(nodes.nodes, port), scenarios, modes, report))
    return report


def urls(nodes: list[Node], port: int) -> dict[str, str]:
    """The app's two ways to the database."""
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    start, end = f"postgresql://{DATABASE}@", f"/{DATABASE}?statement_timeout=3"
    return {
        "URL": f"{start}{hosts}{end}&target_session_attrs=read-write",
        "HAProxy": f"{start}127.0.0.1:{port}{end}",
    }


async def work(
    nodes: Cluster,
    urls: dict[str, str],
    scenarios: Iterable[str],
    modes: Iterable[bool],
    report: Report,
) -> None:
    """Serve the database in each way, and run the scenarios."""
    say("starting processes of the app")
    async with AsyncExitStack() as stack:
        ways = {
            way: await stack.enter_async_context(Apps(url)) for way, url in urls.items()
        }
        for apps in ways.values():
            await asyncio.gather(*(apps.add() for _ in range(PROCESSES)))
        for synchronous in modes:
            await asyncio.to_thread(nodes.configure, synchronous_mode=synchronous)
            for scenario in scenarios:
                report.outcomes.append(
                    await outcome(nodes, ways, scenario, synchronous)
                )


async def outcome(
    nodes: Cluster, ways: dict[str, Apps], scenario: str, synchronous: bool
) -> Outcome:
    """Run a scenario under load, and compare what is stored with what was said."""
    mode = "synchronous" if synchronous else "asynchronous"
    tallies = {way: Tally() for way in ways}
    stop = asyncio.Event()
    say(f"load begins: {scenario}, {mode}")
    async with asyncio.TaskGroup() as group:
        for way, apps in ways.items():
            for number in range(CLIENTS):
                name = f"{scenario}-{mode}-{way}-{number}"
                client = Client(name, apps.clients, tallies[way])
                group.create_task(client.run(stop))
        await asyncio.sleep(BEFORE)
        begin = time.monotonic()
        await asyncio.to_thread(SCENARIOS[scenario], nodes)
        await asyncio.to_thread(nodes.wait_until_whole)
        whole = time.monotonic()
        say(f"all nodes are there after {whole - begin:.0f} s")
        await asyncio.sleep(AFTER)
        stop.set()
    await asyncio.to_thread(nodes.wait_until_whole)
    sides = {}
    for way, tally in tallies.items():
        stored = {
            node.name: compare(
                tally,
                users=node.rows("SELECT email, id FROM users"),
                items=node.rows("SELECT title, id FROM items"),
            )
            for node in nodes.nodes
        }
        sides[way] = Side(tally, stored, tally.acknowledged(since=whole))
    return Outcome(scenario, synchronous, sides, whole - begin)
