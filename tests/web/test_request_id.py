"""Id of each request, in its answer and in the log."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from harness.server import serve

from ..engines import on


@on("sqlite")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("4bf92f3577b34da6a3ce929d0e0e4736", True),
        ("a.b-c_D", True),
        ("", False),
        ("a b", False),
        ("a" * 65, False),
        ("%s", False),
        ("\x1b[31m", False),
        ("é", False),
    ],
)
def test_a_sane_request_id_is_kept(client: TestClient, sent: str, kept: bool) -> None:
    sent_header = {b"X-Request-ID": sent.encode("latin-1")}
    got = client.get("/users/", headers=sent_header).headers["X-Request-ID"]
    if kept:
        assert got == sent
    else:
        assert re.fullmatch("[0-9a-f]{32}", got)


@on("sqlite")
def test_every_answer_has_a_request_id(client: TestClient, app: FastAPI) -> None:
    @app.get("/unexpected")
    def unexpected() -> None:
        raise RuntimeError

    answers = [
        client.get("/unexpected"),
        client.get("/missing"),
        client.get("/users/x"),
        client.post("/users/", content=b"a" * 2_000_000),
        client.get("/docs"),
    ]
    assert [answer.status_code for answer in answers] == [500, 404, 422, 413, 200]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == len(ids)


@on("sqlite")
def test_a_line_of_any_logger_has_the_id(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/log")
    def log() -> None:
        logging.getLogger("anybody.else").warning("100 %% of %s", "it")

    client.get("/log", headers={"X-Request-ID": "abc"})
    assert "[abc] 100 % of it" in caplog.messages


@on("sqlite")
def test_a_formatter_may_use_it_before_the_start_as_well(
    url: str, tmp_path: Path
) -> None:
    formatter = {
        "()": "logging.Formatter",
        "fmt": "%(request_id)s | %(message)s",
        "defaults": {"request_id": None},
    }
    handler = {"class": "logging.StreamHandler", "formatter": "plain"}
    configuration = {
        "version": 1,
        "formatters": {"plain": formatter},
        "handlers": {"all": handler},
        "root": {"handlers": ["all"], "level": "INFO"},
    }
    file = tmp_path / "log.json"
    file.write_text(json.dumps(configuration))
    with serve(url, "--log-config", str(file)) as server:
        headers = {"X-Request-ID": "abc"}
        httpx2.get(f"{server.base_url}/health", headers=headers, timeout=60)
        log = server.stop()
    lines = [line.partition(" | ") for line in log.splitlines() if " | " in line]
    assert lines[0][0] == "None"
    assert [name for name, _, text in lines if "GET /health" in text] == ["abc"]
    assert "Traceback" not in log


def test_the_module_alone_changes_no_log() -> None:
    program = """
import logging
before = logging.getLogRecordFactory()
import peewee_app.web.request_id
assert logging.getLogRecordFactory() is before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@on("sqlite")
def test_a_log_is_as_before_when_the_app_has_ended(app: FastAPI) -> None:
    before = logging.getLogRecordFactory()
    with TestClient(app):
        assert logging.getLogRecordFactory() is not before
    assert logging.getLogRecordFactory() is before


@on("sqlite")
def test_a_line_that_two_handlers_get_has_the_id_once(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("two.handlers")
    logger.addHandler(caplog.handler)

    @app.get("/log")
    def log() -> None:
        logger.warning("it")

    with TestClient(app) as client:
        client.get("/log", headers={"X-Request-ID": "abc"})
    logger.removeHandler(caplog.handler)
    assert caplog.messages.count("[abc] it") == 2


@on("sqlite")
def test_what_a_proxy_says_of_a_client_is_quoted_in_the_log(url: str) -> None:
    with serve(url) as server:
        for forwarded in (b'a" 200 \xff', b"a\x7f\x1b[31m", b"::1", b"192.0.2.1"):
            httpx2.get(
                f"{server.base_url}/health",
                headers={b"X-Forwarded-For": forwarded, b"X-Request-ID": b"abc"},
                timeout=60,
            )
        log = server.stop()
    lines = [line for line in log.splitlines() if "GET /health" in line]
    clients = [line.split(maxsplit=1)[1].split(" [abc] - ")[0] for line in lines]
    assert clients[0] == "a%22%20200%20%C3%BF:0"
    assert clients[-1] == "192.0.2.1:0"
    assert all(re.fullmatch(r"[\w%.:-]+", client) for client in clients)
