"""What is done to the cluster under load; each ends with all nodes there again."""

import time
from collections.abc import Callable

from .cluster import Cluster

# Seconds that a node stays away after another has taken its place.
AWAY = 3
# Seconds that the replicas are behind in `lag`.
LAG = 1
# Seconds that etcd is gone: longer than a primary's lock lasts.
ETCD_AWAY = 14


def kill(cluster: Cluster) -> None:
    """The primary's machine dies, and starts again later."""
    primary = cluster.primary()
    primary.kill()
    cluster.wait_for_failover(primary)
    time.sleep(AWAY)
    primary.start()


def lag(cluster: Cluster) -> None:
    """The same, and the replicas had not got what the primary did last."""
    primary = cluster.primary()
    primary.cut_off()
    time.sleep(LAG)
    primary.kill()
    primary.reconnect()
    cluster.wait_for_failover(primary)
    time.sleep(AWAY)
    primary.start()


def freeze(cluster: Cluster) -> None:
    """The primary's machine hangs, and goes on later as if nothing had been."""
    primary = cluster.primary()
    primary.freeze()
    cluster.wait_for_failover(primary)
    time.sleep(AWAY)
    primary.thaw()


def cut(cluster: Cluster) -> None:
    """The primary loses the other nodes and etcd; clients still reach it."""
    primary = cluster.primary()
    primary.cut_off()
    cluster.wait_for_failover(primary)
    time.sleep(AWAY)
    primary.reconnect()


def switchover(cluster: Cluster) -> None:
    """Somebody asks for another primary."""
    cluster.switch_over()


def etcd(cluster: Cluster) -> None:
    """All nodes lose etcd; it comes back with what it knew."""
    cluster.etcd.kill()
    time.sleep(ETCD_AWAY)
    cluster.etcd.start()


def failsafe(cluster: Cluster) -> None:
    """The same, with Patroni's failsafe_mode on."""
    cluster.configure(failsafe_mode=True)
    etcd(cluster)
    cluster.primary()
    cluster.configure(failsafe_mode=False)


SCENARIOS: dict[str, Callable[[Cluster], None]] = {
    function.__name__: function
    for function in (kill, lag, freeze, cut, switchover, etcd, failsafe)
}
