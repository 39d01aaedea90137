"""Comparison runs and counts right. No test asserts an app's speed."""

import json
import platform
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import pytest

from comparison import databases
from comparison.__main__ import main
from comparison.apps import APPS, DESIGN, FLOOR, OURS, TORTOISE, TUTORIAL, App, serve
from comparison.databases import fill, fresh_database, remove_items
from comparison.figures import Ratio, paired_ratio, percentile
from comparison.floor_app import database as floor
from comparison.in_process import ANSWERS, PEEWEE, all_ways, measure_in_process
from comparison.markdown import number, ratio, table
from comparison.measure import Measurement, Results, Sample
from comparison.plan import IN_PROCESS, PARTS, ROUTES, Plan, apps_of, work
from comparison.plots import write_in_process_plot, write_plots
from comparison.report import came_out, report
from comparison.sqlalchemy_design_app import database as design
from harness.load import Load, drive, get, post
from peewee_app.fastapi_peewee import pool_size

ROOT = Path(__file__).parents[2]


def test_a_server_that_allows_too_few_connections_is_refused(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "CONNECTIONS", 1_000_000)
    with pytest.raises(SystemExit, match="ALTER SYSTEM SET max_connections"):
        main(["--quick", "--postgresql", postgresql_url])


def test_pools_are_as_large_as_ours_where_the_page_says_so() -> None:
    ours = pool_size("sqlite:"), pool_size("postgresql:")
    assert ours == (design.SQLITE_CONNECTIONS, design.POSTGRESQL_CONNECTIONS)
    assert ours[1] == floor.POSTGRESQL_CONNECTIONS


@pytest.mark.slow
def test_the_quick_run_shows_every_route_and_app(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "comparison", "--quick", "--output", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert run.returncode == 0, run.stderr
    assert "This takes about 3 min" in run.stderr
    text = (tmp_path / "results.md").read_text()
    assert text.strip() == run.stdout.strip()
    cells = [cell.strip() for cell in text.replace("\n", "").split("|")]
    for app in APPS:
        # One row for each route, and one for memory, which is measured as it is.
        assert cells.count(app.name) >= len(ROUTES) + (not app.one_core)
    for app in apps_of("clients", APPS):
        assert f"64, {app.name}" in cells
    for route in ROUTES:
        assert f"`{route}`" in cells
    for answer in ANSWERS:
        assert answer in cells
    for version in (platform.python_version(), sqlite3.sqlite_version):
        assert version in text
    for private in (platform.node(), str(ROOT), str(tmp_path)):
        assert private not in text
    assert sorted(file.name for file in tmp_path.glob("*.svg")) == [
        "clients-sqlite.svg",
        "in-process.svg",
        "items-per-user-sqlite.svg",
        "routes-sqlite.svg",
        "rows-sqlite.svg",
    ]


# The apps do the same.


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    request = Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=10) as response:
        return json.load(response)


def answers(app: App, url: str) -> list[Any]:
    with serve(app, url) as server:
        fill(url, users=20, items_per_user=3)
        item = {"title": "Foo", "description": None}
        return [
            ask(server.port, "GET", "/users/7"),
            ask(server.port, "GET", "/users/?limit=100"),
            ask(server.port, "GET", "/users/?skip=5&limit=2"),
            ask(server.port, "GET", "/items/?skip=1&limit=100"),
            ask(server.port, "POST", "/users/2/items/", item),
            ask(server.port, "GET", "/users/2"),
        ]


@pytest.mark.slow
def test_all_apps_answer_the_same(tmp_path: Path) -> None:
    by_app = {}
    for app in APPS:
        folder = tmp_path / app.name
        folder.mkdir()
        with fresh_database(None, folder) as url:
            by_app[app.name] = answers(app, url)
    first, *others = by_app.values()
    assert len(first[1]) == 20
    assert len(first[-1]["items"]) == 4
    for other in others:
        assert other == first


def test_all_ways_in_process_answer_the_same() -> None:
    with all_ways() as ways:
        for answer, users in zip(ANSWERS, (100, 1), strict=True):
            results = [
                call() for by_way in ways[answer].values() for call in by_way.values()
            ]
            first = json.loads(results[0])
            assert len(first) == users
            assert all(len(user["items"]) == 5 for user in first)
            assert set(results) == {results[0]}


def test_rows(tmp_path: Path) -> None:
    def count(query: str) -> Any:
        with closing(sqlite3.connect(tmp_path / "comparison.db")) as connection:
            return connection.execute(query).fetchone()[0]

    with fresh_database(None, tmp_path) as url:
        with serve(APPS[0], url):
            pass
        for users, items_per_user in [(3, 2), (10, 5)]:
            fill(url, users, items_per_user)
            assert count("SELECT count(*) FROM users") == users
            assert count("SELECT count(*) FROM items") == users * items_per_user
            owners = "SELECT owner_id, count(*) AS n FROM items GROUP BY owner_id"
            assert count(f"SELECT min(n) FROM ({owners})") == items_per_user
            assert count(f"SELECT max(n) FROM ({owners})") == items_per_user
        remove_items(url, after=40)
        assert count("SELECT max(id) FROM items") == 40


# The load.


def drive_for_a_moment(handle: Callable[[socket.socket], None], clients: int) -> Load:
    """Drive a server that calls `handle` with each."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        request_queue_size = 100

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        load = drive(
            server.server_address[1],
            repeat(get("/")),
            clients=clients,
            seconds=0.3,
            patience=0.3,
        )
        server.shutdown()
    return load


def answer_in_pieces(connection: socket.socket) -> None:
    while connection.recv(1000):
        for piece in (b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r\nab", b"cd"):
            connection.sendall(piece)
            time.sleep(0.005)


def test_an_answer_may_come_in_pieces() -> None:
    load = drive_for_a_moment(answer_in_pieces, clients=2)
    assert load.latencies
    assert all(latency >= 0.01 for latency in load.latencies)
    assert load.failed == load.unanswered == 0
    assert load.per_second == len(load.latencies) / load.seconds


def never_answer(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def test_a_server_that_hangs_does_not_hang_the_load() -> None:
    start = time.monotonic()
    load = drive_for_a_moment(never_answer, clients=50)
    assert time.monotonic() - start < 5
    assert (len(load.latencies), load.failed, load.unanswered) == (0, 0, 50)
    assert load.per_second == 0


def fail_and_hang_up(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n")
    connection.recv(1000)


def test_errors_and_lost_connections_are_failures() -> None:
    load = drive_for_a_moment(fail_and_hang_up, clients=2)
    assert (len(load.latencies), load.failed, load.unanswered) == (0, 4, 0)


def test_requests_are_what_a_server_understands() -> None:
    assert get("/a?b=1").startswith(b"GET /a?b=1 HTTP/1.1\r\n")
    request = post("/a", b'{"b": 1}')
    assert b"\r\nContent-Length: 8\r\n" in request
    assert request.endswith(b'\r\n\r\n{"b": 1}')


# The statistics, and how they are shown.


def test_percentiles() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile(values, 100) == 100
    assert percentile([3.0], 1) == 3


def test_ratios_pair_the_rounds() -> None:
    # The machine was ten times as slow in the second round, for both.
    assert paired_ratio([200, 21, 200], [100, 10, 50]) == Ratio(4, 2, 4)
    assert paired_ratio([0, 0], [1, 1]) == Ratio(0, 0, 0)
    assert paired_ratio([1, 1], [1, 0]) is None
    assert paired_ratio([], []) is None


def test_numbers_have_the_digits_that_mean_something() -> None:
    shown = [number(n) for n in (None, 0.123, 1.234, 12.34, 1234.5)]
    assert shown == ["–", "0.12", "1.23", "12.3", "1,234"]  # noqa: RUF001


def test_table() -> None:
    assert table(["app", "n"], [["a", "1,000"]]) == (
        "| app |     n |\n| --- | ----: |\n| a   | 1,000 |"
    )


BRIEF = Plan(
    users=10,
    items_per_user=1,
    rounds=1,
    seconds=0.05,
    warm_up=0.01,
    ladder_clients=(1,),
    ladder_items=(10,),
    ladder_seconds=0.05,
)


@pytest.mark.slow
def test_an_app_that_does_not_start_is_left_out_and_the_reason_is_shown() -> None:
    parts = ["routes", "rows"]
    apps = [App("broken", "comparison.nothing"), DESIGN, FLOOR]
    steps: list[str] = []
    results = Measurement(apps, BRIEF, None, steps.append).run(parts)
    assert list(results.left_out) == ["broken"]
    text = report([results], {}, BRIEF, {})
    assert "broken is not measured" in text
    assert "comparison.nothing" in text
    # The ladder of rows has no floor.
    assert len(steps) == work(BRIEF, apps[1:], parts, engines=1).steps
    assert list(results.routes["GET /users/{id}"]) == [DESIGN.name, FLOOR.name]
    assert list(results.rows["GET /users/{id}"][10]) == [DESIGN.name]


def test_the_time_a_run_takes_is_foreseen() -> None:
    once = work(Plan(), APPS, PARTS, engines=1)
    twice = work(Plan(), APPS, [*PARTS, IN_PROCESS], engines=2)
    assert twice.steps == 2 * once.steps
    assert twice.seconds > 2 * once.seconds
    rounds = len(APPS) * len(ROUTES) * Plan().rounds * Plan().seconds
    assert once.seconds > rounds
    assert twice.seconds < 25 * 60


def some_results() -> Results:
    """Make results of a fast app and a hung one."""
    fast = Sample(Load([0.001, 0.002], seconds=0.004), 0.001, 1.0)
    hung = Sample(Load(unanswered=2, seconds=1.0), 0.001, 1.0)
    samples = {OURS.name: fast, TUTORIAL.name: hung}
    rounds = {name: [sample] for name, sample in samples.items()}
    ladder = {"GET /": {10: samples, 100: samples}}
    return Results(
        "SQLite 3",
        routes=dict.fromkeys(ROUTES, rounds),
        clients={1: samples, 1000: samples},
        rows=ladder,
        items_per_user=ladder,
    )


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the tables."""
    lines = text.splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_a_server_that_hangs_is_shown_as_such() -> None:
    rows = rows_of(report([some_results()], {}, BRIEF, {}))
    dash = "–"  # noqa: RUF001
    fast, hung = OURS.name, TUTORIAL.name
    assert [fast, "500", "0.50", "1.00", "2.00", "0", "1"] in rows
    assert [hung, "0.00", dash, dash, dash, "2", dash] in rows
    assert [f"1,000, {hung}", "0.00", dash, dash, "0", "0", "2"] in rows
    assert ["10", "0.50 (1.00)", "no answer in time"] in rows


def sample(answered: int, cpu_ms: float) -> Sample:
    """Make a sample."""
    return Sample(Load([0.001] * answered, seconds=1.0), answered * cpu_ms / 1000, 1.0)


def compared(**rounds: list[Sample]) -> Results:
    """Make results of one route, by comparison.apps' constants."""
    names = {"ours": OURS, "tutorial": TUTORIAL, "design": DESIGN, "tortoise": TORTOISE}
    names["floor"] = FLOOR
    by_app = {names[name].name: samples for name, samples in rounds.items()}
    return Results("SQLite 3", routes={"GET /": by_app})


def test_it_says_in_three_sentences_what_came_out() -> None:
    # The machine was slow in the second round.
    ours = [sample(100, 1), sample(10, 10), sample(100, 1)]
    slow = [sample(50, 2), sample(5, 20), sample(40, 2)]
    faster = [sample(200, 1.1), sample(20, 11), sample(400, 1.1)]
    close = [sample(90, 1.1), sample(12, 9), sample(90, 1.1)]
    results = compared(
        ours=ours, tutorial=slow, tortoise=faster, design=close, floor=faster
    )
    assert list(came_out([results])) == [
        "peewee_app answers 2.50 to 2.50 times as many requests a second as "
        "SQLAlchemy, tutorial style, and 0.50 to 0.50 times as many as the floor, "
        "which has no ORM.\n"
        "It is behind these apps: Tortoise ORM on `GET /`, SQLite (0.50 × the "  # noqa: RUF001
        "requests/s, 0.91 × the CPU).\n"  # noqa: RUF001
        "The rounds show no difference to these: SQLAlchemy, our design on `GET /`, "
        "SQLite."
    ]


def test_what_the_rounds_disagree_on_is_no_difference() -> None:
    close = Ratio(1.03, 0.88, 1.16)
    assert ratio(close) == "no difference (0.88 to 1.16)"
    assert ratio(Ratio(2, 1.5, 3)) == "2.00 × (1.50 to 3.00)"  # noqa: RUF001


def test_table_chart_and_sentence_have_one_figure() -> None:
    ours = [sample(300, 1), sample(10, 10), sample(100, 1)]
    slow = [sample(50, 2), sample(4, 20), sample(40, 2)]
    results = compared(ours=ours, tutorial=slow, floor=ours)
    text = report([results], {}, BRIEF, {})
    assert "2.50 to 2.50 times as many" in text
    assert ["SQLAlchemy, tutorial style", "40.0", "2.50 × (2.50 to 6.00)"] in [  # noqa: RUF001
        [row[0], row[1], row[-1]] for row in rows_of(text) if len(row) > 6
    ]


def test_the_design_and_the_orm_are_told_apart() -> None:
    results = compared(
        ours=[sample(300, 2)], tutorial=[sample(50, 20)], design=[sample(200, 4)]
    )
    rows = rows_of(report([results], {}, BRIEF, {}))
    ratios = ["4.00 × (4.00 to 4.00)", "1.50 × (1.50 to 1.50)"]  # noqa: RUF001
    assert ["`GET /`", "50.0 (20.0)", "200 (4.00)", "300 (2.00)", *ratios] in rows


def test_plots_are_the_same_for_the_same_figures(tmp_path: Path) -> None:
    results = some_results()
    first = [file.read_bytes() for file in write_plots(results, tmp_path)]
    assert len(first) == 4
    assert [file.read_bytes() for file in write_plots(results, tmp_path)] == first
    for image in first:
        assert ElementTree.fromstring(image).tag.endswith("svg")
        assert b"per request" in image or b"requests per second" in image
        assert TUTORIAL.name.encode() in image


def test_costs_in_process_are_shown_and_plotted(tmp_path: Path) -> None:
    costs = measure_in_process(1)
    text = report([], costs, BRIEF, {})
    for answer, by_way in costs.items():
        assert answer in text
        for way, by_orm in by_way.items():
            assert all(cost > 0 for cost in by_orm.values())
            assert way in text
    write_in_process_plot(costs, tmp_path)
    image = (tmp_path / "in-process.svg").read_text()
    assert PEEWEE in image
