"""What is done to the cluster under load. After each, all nodes find together again."""

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
    """The primary's machine dies, and starts again later."""
    await reset(cluster, await cluster.primary())


async def reset(cluster: Cluster, primary: Node) -> None:
    """Let a primary's machine die, and start it when another has taken its place."""
    primary.kill()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.start()


async def lag(cluster: Cluster) -> None:
    """The same, and what the primary did last had not got to the others."""
    primary = await cluster.primary()
    primary.cut_off()
    await asyncio.sleep(LAG)
    await kill(cluster)
    primary.reconnect()


async def freeze(cluster: Cluster) -> None:
    """The primary's machine hangs, and goes on later as if nothing had been.

    Here, as in all scenarios but the next, nobody looks at its watchdog.
    """
    primary = await cluster.primary()
    primary.freeze()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.thaw()


async def watchdog(cluster: Cluster) -> None:
    """The primary's machine hangs, and its watchdog resets it."""
    primary = await cluster.primary()
    primary.freeze()
    await asyncio.to_thread(primary.watchdog.wait)
    await reset(cluster, primary)


async def cut(cluster: Cluster) -> None:
    """The primary loses the other nodes and etcd; clients still reach it."""
    primary = await cluster.primary()
    primary.cut_off()
    await cluster.failover(primary)
    await asyncio.sleep(AWAY)
    primary.reconnect()


async def switchover(cluster: Cluster) -> None:
    """Somebody asks for another primary."""
    await cluster.switch_over()


async def etcd(cluster: Cluster) -> None:
    """All nodes lose etcd; it comes back with what it knew."""
    cluster.etcd.kill()
    await asyncio.sleep(ETCD_AWAY)
    await cluster.start_etcd()


async def failsafe(cluster: Cluster) -> None:
    """The same, with Patroni's failsafe_mode on."""
    await cluster.configure(failsafe_mode=True)
    rest = (await cluster.primary()).rest
    # It holds from when the primary has written down who the others are.
    await cluster.wait("failsafe mode", lambda: rest.get("/failsafe").is_success)
    await etcd(cluster)
    await cluster.configure(failsafe_mode=False)


SCENARIOS: dict[str, Callable[[Cluster], Awaitable[None]]] = {
    function.__name__: function
    for function in (kill, lag, freeze, watchdog, cut, switchover, etcd, failsafe)
}
