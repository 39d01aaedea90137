"""Faults of the cluster under load. After each, all nodes find together again."""

import asyncio
from collections.abc import Awaitable, Callable

from .cluster import Cluster
from .nodes import Node

# Seconds that a node stays away after another has taken its place.
AWAY = 2
# Seconds that the replicas are behind in `lag`.
LAG = 1
# Seconds that etcd is gone: longer than a primary's lock lasts.
ETCD_AWAY = 12


async def kill(cluster: Cluster) -> None:
    """Kill the primary's machine; start it again later."""
    await reset(cluster, await cluster.primary())


async def reset(cluster: Cluster, primary: Node) -> None:
    """Let a primary's machine die, and start it when another has taken its place."""
    primary.kill()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.start()


async def lag(cluster: Cluster) -> None:
    """Kill a primary whose last writes have not reached the others."""
    primary = await cluster.primary()
    primary.cut_off()
    await asyncio.sleep(LAG)
    await kill(cluster)
    primary.reconnect()


async def freeze(cluster: Cluster) -> None:
    """Freeze the primary's machine, and let it go on later.

    Here, as in all scenarios but the next, nobody looks at its watchdog.
    """
    primary = await cluster.primary()
    primary.freeze()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.thaw()


async def watchdog(cluster: Cluster) -> None:
    """Freeze the primary's machine; its watchdog resets it."""
    primary = await cluster.primary()
    primary.freeze()
    await asyncio.to_thread(primary.watchdog.wait)
    await reset(cluster, primary)


async def cut(cluster: Cluster) -> None:
    """Cut the primary off from other nodes and etcd, not from clients."""
    primary = await cluster.primary()
    primary.cut_off()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.reconnect()


async def switchover(cluster: Cluster) -> None:
    """Switch to another primary."""
    await cluster.switch_over()


async def etcd(cluster: Cluster) -> None:
    """Stop etcd, and start it again with its data."""
    cluster.etcd.kill()
    await asyncio.sleep(ETCD_AWAY)
    await cluster.start_etcd()


async def failsafe(cluster: Cluster) -> None:
    """Stop etcd in Patroni's failsafe_mode."""
    await cluster.configure(failsafe_mode=True)
    rest = (await cluster.primary()).rest
    # It holds once the primary has written down the other nodes.
    await cluster.wait("failsafe mode", lambda: rest.get("/failsafe").is_success)
    await etcd(cluster)
    await cluster.configure(failsafe_mode=False)


SCENARIOS: dict[str, Callable[[Cluster], Awaitable[None]]] = {
    function.__name__: function
    for function in (kill, lag, freeze, watchdog, cut, switchover, etcd, failsafe)
}
