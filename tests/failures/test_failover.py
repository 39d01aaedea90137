"""A PostgreSQL primary dies, and its replica takes over, at one URL.

`pytest -m slow -rP tests/failures/test_failover.py` prints the figures.
"""

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from harness.clients import USER, clients, stored
from harness.server import serve
from harness.servers import Postgresql, running

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Standby(Postgresql):
    """A streaming replica of another server."""

    def __init__(self, directory: Path, primary: Postgresql) -> None:
        super().__init__(directory, initialize=False)
        if self.user:
            shutil.chown(self.data, self.user)
        self.data.chmod(0o700)
        subprocess.run(
            [
                self.program("pg_basebackup"),
                *("-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"),
                *("-D", str(self.data), "-R", "-c", "fast"),
            ],
            user=self.user,
            check=True,
            capture_output=True,
        )


@pytest.mark.parametrize("synchronous", [False, True])
async def test_the_primary_is_killed_and_the_replica_promoted(
    synchronous: bool,
) -> None:
    with (
        running(Postgresql) as database,
        running(lambda directory: Standby(directory, database)) as standby,
    ):
        if synchronous:
            database.execute(
                "ALTER SYSTEM SET synchronous_standby_names = '*'",
                "SELECT pg_reload_conf()",
            )
        hosts = f"127.0.0.1:{database.port},127.0.0.1:{standby.port}"
        options = "target_session_attrs=read-write&statement_timeout=5"
        url = f"postgresql://postgres@{hosts}/postgres?{options}"
        with serve(url, "--no-access-log", DATABASE_POOL_TIMEOUT="2") as server:
            with server.client() as client:
                assert client.post("/users/", json=USER).status_code == 200
            async with clients(server.base_url, 20) as load:
                await asyncio.sleep(3)
                await asyncio.to_thread(database.kill)
                killed = time.monotonic()
                await asyncio.sleep(1)
                await asyncio.to_thread(standby.execute, "SELECT pg_promote()")
                promoted = time.monotonic()
                await asyncio.sleep(4)
            kept = stored(url, load)
        served = load.written(promoted)[0] - promoted
        load.report(
            f"PostgreSQL primary killed, {'' if synchronous else 'a'}synchronous "
            "replica promoted, 20 clients",
            acknowledged=len(load.items),
            served_again_after=f"{served:.2f} s",
            lost=kept.lost,
            doubled=kept.doubled,
        )
        assert load.statuses()[503]
        assert served < 2
        assert kept.doubled == 0
        before = len(load.items) - len(load.written(killed))
        assert kept.lost == 0 if synchronous else kept.lost < before
