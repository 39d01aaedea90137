"""Conflicts made on purpose: writes to the same row, through several nodes at once."""

import asyncio
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pymysql
from peewee import OperationalError

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector

from .nodes import DATABASE, Node

# Seconds for a round's posts to reach the nodes. It is less than the app's limit for a
# statement, since the first ones wait for the others.
GATHER_TIMEOUT = 5


@dataclass
class Race:
    """Results of races."""

    rounds: int = 0
    # Rounds in which more than one node had a post to run.
    across_nodes: int = 0
    # Rounds with one 200, and a 400 for everybody else.
    won_once: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


async def race(apps: list[httpx2.AsyncClient], nodes: list[Node], rounds: int) -> Race:
    """In each round, post one email to each process of the app at the same moment.

    Every node holds the posts back until all have arrived, and lets them go at once.
    """
    result = Race(rounds)
    for number in range(rounds):
        user = {"email": f"race-{number}@example.com", "password": "chimichangas"}
        with ExitStack() as stack:
            connections = [stack.enter_context(node.connect()) for node in nodes]
            for connection in connections:
                await asyncio.to_thread(connection.query, "FLUSH TABLES WITH READ LOCK")
            posts = [
                asyncio.create_task(app.post("/users/", json=user)) for app in apps
            ]
            waiting = await asyncio.to_thread(gather, len(posts), connections)
            result.across_nodes += sum(count > 0 for count in waiting) > 1
            for connection in connections:
                connection.query("UNLOCK TABLES")
        responses = await asyncio.gather(*posts)
        statuses = Counter(response.status_code for response in responses)
        result.won_once += statuses == {200: 1, 400: len(apps) - 1}
        result.statuses += statuses
    return result


def gather(posts: int, connections: "list[pymysql.Connection[Any]]") -> list[int]:
    """Wait until all posts have arrived, or time is up; return their number by node."""
    end = time.monotonic() + GATHER_TIMEOUT
    while True:
        waiting = []
        for connection in connections:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist"
                    " WHERE info LIKE 'INSERT INTO `users`%'"
                )
                waiting.append(cursor.rowcount)
        if sum(waiting) >= posts or time.monotonic() > end:
            return waiting
        time.sleep(0.05)


@dataclass
class Increments:
    """Results of increments."""

    acknowledged: int = 0
    refused: int = 0
    retries: int = 0
    # The number on each node in the end.
    values: list[int] = field(default_factory=list)


class Retries(logging.Handler):
    """Counter of retries that the app's database layer logs."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "running it again" in record.getMessage()


def increment(nodes: list[Node], times: int) -> Increments:
    """Add 1 to the same number `times` times through each node, all at once.

    A lost or a doubled write shows in the sum. It uses the app's database layer.
    """
    table = f"{DATABASE}.increments"
    nodes[0].rows(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, number INTEGER)")
    nodes[0].rows(f"INSERT INTO {table} VALUES (1, 0)")

    def work(node: Node) -> int:
        acknowledged = 0
        with connect(db, connector(node.url)):
            for _ in range(times):
                try:
                    db.execute_sql(f"UPDATE {table} SET number = number + 1")
                except OperationalError:
                    continue
                acknowledged += 1
        return acknowledged

    logger, retries = (
        logging.getLogger("peewee_app.fastapi_peewee.transactions"),
        Retries(),
    )
    logger.addHandler(retries)
    try:
        with ThreadPoolExecutor(len(nodes)) as threads:
            acknowledged = sum(threads.map(work, nodes))
    finally:
        logger.removeHandler(retries)
    return Increments(
        acknowledged,
        refused=times * len(nodes) - acknowledged,
        retries=retries.count,
        values=[node.rows(f"SELECT number FROM {table}")[0][0] for node in nodes],
    )
