"""PostgreSQL."""

from urllib.parse import urlsplit

from ...engines import on
from .notes import ask


@on("postgresql")
def test_several_hosts_are_tried_in_turn(url: str) -> None:
    parts = urlsplit(url)
    hosts = f"127.0.0.1:1,{parts.hostname}:{parts.port}"
    several = parts._replace(netloc=f"{parts.username}@{hosts}").geturl()
    several += "?target_session_attrs=read-write"
    assert ask(several, "SELECT 1") == 1
