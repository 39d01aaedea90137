"""Nodes under Patroni on this machine, for as long as a block of code runs."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx2
import psycopg

from harness.processes import ServerError

from .etcd import Etcd
from .nodes import DATABASE, Node

# Seconds for the nodes to reach a state.
TIMEOUT = 90

T = TypeVar("T")


class Cluster:
    """Nodes, and their etcd."""

    def __init__(self, nodes: list[Node], etcd: Etcd) -> None:
        self.nodes = nodes
        self.etcd = etcd

    async def primary(self) -> Node:
        """Wait for a node that takes writes, and return it."""
        leaders = await self.wait("a primary", self._leaders)
        return leaders[0]

    async def failover(self, former: Node) -> None:
        """Wait until another node than the former primary takes writes."""
        others = [node for node in self.nodes if node is not former]
        await self.wait("another primary", lambda: any(n.leads() for n in others))

    async def configure(self, **settings: bool) -> None:
        """Change settings of all nodes, and wait until they have taken effect."""
        rest = (await self.primary()).rest
        await self.wait(
            "new settings", lambda: rest.patch("/config", json=settings).is_success
        )
        await self.whole()

    async def start_etcd(self) -> None:
        """Start etcd, and wait until it serves."""
        self.etcd.start()
        await self.wait("etcd", self.etcd.serves)

    async def switch_over(self) -> None:
        """Ask for another primary, as `patronictl switchover` does."""
        primary = await self.primary()
        leader = {"leader": primary.name}
        response = await asyncio.to_thread(
            primary.rest.post, "/switchover", json=leader, timeout=TIMEOUT
        )
        if response.is_error:
            raise ServerError(f"no switchover: {response.text}")

    async def whole(self) -> None:
        """Wait until all nodes follow one primary, and have all its data.

        In synchronous mode, one of them has to be the primary's synchronous standby.
        """
        await self.wait("nodes that follow one primary", self._is_whole)

    async def wait(self, what: str, find: Callable[[], T]) -> T:
        """Wait until `find` returns something true; raise ServerError if late.

        Ask servers again that refuse or do not answer.
        """
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            try:
                if found := await asyncio.to_thread(find):
                    return found
            except (httpx2.TransportError, psycopg.Error):
                pass
            await asyncio.sleep(0.2)
        logs = [
            f"{log}:\n" + "\n".join(log.read_text().splitlines()[-15:])
            for log in [self.etcd.log, *(node.log for node in self.nodes)]
            if log.exists()
        ]
        raise ServerError("\n".join([f"waited in vain for {what}", *logs]))

    def _leaders(self) -> list[Node]:
        return [node for node in self.nodes if node.leads()]

    def _is_whole(self) -> bool:
        leaders = self._leaders()
        if len(leaders) != 1:
            return False
        (primary,) = leaders
        followers = [node for node in self.nodes if node is not primary]
        config = primary.rest.get("/config").json()
        states = primary.rows(
            "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        )
        ((position,),) = primary.rows("SELECT pg_current_wal_lsn()")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        return (
            len(states) == len(followers)
            and (("sync",) in states) == config.get("synchronous_mode", False)
            and all(node.rows(reached) == [(True,)] for node in followers)
        )


@asynccontextmanager
async def cluster(size: int) -> AsyncIterator[Cluster]:
    """Yield `size` nodes, one of them primary, with a database for the app.

    They are in a temporary directory, and are gone when the block ends. Raise
    ServerError if one does not start.
    """
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="patroni-"))
        os.chmod(name, 0o755)
        directory = Path(name)
        etcd = Etcd(directory / "etcd")
        etcd.prepare()
        stack.callback(etcd.kill)
        nodes = [
            Node(f"node{n + 1}", directory / f"node{n + 1}", etcd.port)
            for n in range(size)
        ]
        for node in nodes:
            stack.enter_context(node.prepared())
        together = Cluster(nodes, etcd)
        await together.start_etcd()
        first, *others = nodes
        first.start()
        await together.primary()
        first.rows(f"CREATE ROLE {DATABASE} LOGIN", database="postgres")
        first.rows(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}", database="postgres")
        for node in others:
            node.start()
        await together.whole()
        yield together
