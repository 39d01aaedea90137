"""Four processes that serve one database."""

import asyncio

import pytest

from harness.clients import USER, clients, stored
from harness.server import serve

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_four_workers_under_mixed_load(url: str) -> None:
    with serve(url, "--no-access-log", "--workers", "4") as server:
        with server.client() as client:
            assert client.post("/users/", json=USER).status_code == 200
        async with clients(server.base_url, 40) as load:
            await asyncio.sleep(5)
        log = server.stop()
    kept = stored(url, load)
    load.report(f"4 workers, 40 clients, {url.partition(':')[0]}")
    assert load.statuses().keys() == {200}
    assert "locked" not in log
    assert "ERROR" not in log
    assert kept.lost == 0
    assert kept.doubled == 0
