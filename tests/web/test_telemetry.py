"""Spans, log of statements, and Server-Timing."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanKind

from harness.server import serve
from peewee_app.database import db

from ..engines import on
from ..factories import USER, create_app


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(url: str, exporter: InMemorySpanExporter) -> FastAPI:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return create_app(url, provider=provider)


def database_spans(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [s for s in exporter.get_finished_spans() if s.kind is SpanKind.CLIENT]


def test_a_span_for_each_query_under_that_of_the_request(
    client: TestClient, exporter: InMemorySpanExporter, engine: str
) -> None:
    assert client.post("/users/", json=USER).status_code == 200
    exporter.clear()
    assert client.get("/users/").status_code == 200
    spans = {
        span.context.span_id: span
        for span in exporter.get_finished_spans()
        if span.context
    }
    (request,) = (s for s in spans.values() if s.kind is SpanKind.SERVER)
    assert request.name == "GET /users/"
    queries = database_spans(exporter)
    assert [query.name for query in queries] == ["SELECT", "SELECT"]
    for query in queries:
        assert query.attributes
        assert query.attributes["db.system.name"] in (engine, "mysql")
        assert query.attributes["db.operation.name"] == "SELECT"
        assert "users" in str(query.attributes["db.query.text"]) or "items" in str(
            query.attributes["db.query.text"]
        )
        assert query.start_time
        assert query.end_time
        assert request.start_time
        assert request.end_time
        assert request.start_time <= query.start_time <= query.end_time
        assert query.end_time <= request.end_time
        ancestor = query
        while ancestor.parent:
            ancestor = spans[ancestor.parent.span_id]
        assert ancestor is request


def test_no_parameter_is_in_a_span(
    client: TestClient, exporter: InMemorySpanExporter
) -> None:
    for status in (200, 400):
        assert client.post("/users/", json=USER).status_code == status
    failed = [s for s in database_spans(exporter) if not s.status.is_ok]
    assert len(failed) == 1
    assert failed[0].attributes
    assert failed[0].attributes["error.type"] == "IntegrityError"
    shown = "".join(span.to_json() for span in database_spans(exporter))
    assert "INSERT" in shown
    for secret in (*USER.values(), "argon2"):
        assert secret not in shown


@pytest.mark.parametrize("provider", [None, NoOpTracerProvider()])
@on("sqlite")
def test_without_telemetry_a_query_calls_nothing(
    url: str, provider: TracerProvider | None
) -> None:
    app = create_app(url, provider=provider)
    with TestClient(app) as client, client.app_state["pool"].connection():
        assert db.query_hooks == []


@pytest.fixture
def log(url: str) -> Iterator[list[str]]:
    """Log of a server with ECHO_SQL, complete after the test's requests."""
    lines: list[str] = []
    with (
        serve(url, ECHO_SQL="1") as server,
        server.client() as client,
    ):
        for status in (200, 400):
            response = client.post(
                "/users/", json=USER, headers={"X-Request-ID": f"post-{status}"}
            )
            assert response.status_code == status
            assert response.headers["X-Request-ID"] == f"post-{status}"
        response = client.get("/users/", headers={"X-Request-ID": "get"})
        timing = response.headers["Server-Timing"]
        assert re.fullmatch(r'db;dur=\d+\.\d\d;desc="2 queries"', timing)
        response = client.get("/items/")
        assert response.headers["Server-Timing"].endswith('desc="1 query"')
        lines += server.stop().splitlines()
        yield lines


def test_echo_sql(log: list[str]) -> None:
    def about(name: str) -> list[str]:
        return [line for line in log if f"[{name}]" in line]

    (insert,) = (line for line in about("post-200") if "INSERT" in line)
    assert re.search(r"\d+\.\d\d ms: INSERT INTO", insert)
    (failed,) = (line for line in about("post-400") if "INSERT" in line)
    assert re.search(r"\d+\.\d\d ms, IntegrityError: INSERT INTO", failed)
    assert sum("SELECT" in line for line in about("get")) == 2
    assert any('"GET /users/ HTTP/1.1" 200' in line for line in about("get"))
    text = "\n".join(log)
    for secret in (*USER.values(), "argon2"):
        assert secret not in text


@on("sqlite")
def test_by_default_neither_log_nor_header(client: TestClient) -> None:
    assert "Server-Timing" not in client.get("/users/").headers
