"""Run the app on a cluster, and kill a node under load."""

import asyncio
import time

from harness.clients import Client

from ..apps import Apps
from ..progress import say
from .balancer import balancer
from .nodes import Node, cluster, database_url
from .race import increment, race
from .report import Report, node_state

NODES = 3
PROCESSES = 3
CLIENTS = 12
# Seconds of load before the node is killed, while it is away, and after its return.
BEFORE, AWAY, AFTER = 5, 8, 6
HOLD = 0.5
RACES = 10
INCREMENTS = 50


def run() -> Report:
    """Start everything, kill a node under load, let it return, then stop everything.

    Raise ServerError if something does not start.
    """
    report = Report()
    say("starting the nodes")
    with cluster(NODES) as nodes, balancer(nodes) as port:
        asyncio.run(work(nodes, database_url(port), report))
        report.increments = increment(nodes, INCREMENTS)
        say("comparing the nodes")
        for node in nodes:
            report.nodes[node.name] = node_state(node, report.tally)
    return report


async def work(nodes: list[Node], url: str, report: Report) -> None:
    """Serve the database at the URL; put load on it, and then make conflicts."""
    say("starting processes of the app")
    async with Apps(url) as apps:
        # At once, though only one makes the tables.
        await asyncio.gather(*(apps.add() for _ in range(PROCESSES)))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                client = Client(f"client{number}", apps.clients, report.tally)
                group.create_task(client.run(stop))
            await kill_and_return(nodes[0], apps, report)
            stop.set()
        say("making conflicts")
        report.race = await race(apps.clients, nodes, RACES)
        report.retries = apps.count_logged("running it again")
        report.connections = {node.name: node.connections() for node in nodes}


async def kill_and_return(node: Node, apps: Apps, report: Report) -> None:
    """Kill the node and start it again, each after some seconds of load."""
    say("load begins")
    await asyncio.sleep(BEFORE)
    say(f"killing {node.name}")
    with node.connect() as connection:
        # The node holds writes back, so that some are under way when it dies.
        await asyncio.to_thread(connection.query, "FLUSH TABLES WITH READ LOCK")
        await asyncio.sleep(HOLD)
        report.killed = time.monotonic()
        await asyncio.to_thread(node.kill)
    await asyncio.sleep(AWAY)
    say(f"starting {node.name} again")
    report.restarted = time.monotonic()
    await asyncio.to_thread(node.start)
    await asyncio.to_thread(node.wait_until_synced)
    report.synced = time.monotonic()
    report.transfer = node.transfer()
    say(f"{node.name} is synced")
    # Pools keep their connections. A new process opens new ones, and HAProxy
    # gives them to the node that has fewest.
    await apps.add()
    await asyncio.sleep(AFTER)
