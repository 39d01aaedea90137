"""What the experiments show, each run as a reader runs it: what must hold."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(name: str) -> list[str]:
    """The lines that the experiment prints."""
    return subprocess.run(
        [sys.executable, "-m", f"docs.experiments.{name}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    ).stdout.splitlines()


def numbers(line: str) -> list[int]:
    return [int(number) for number in re.findall(r"\b\d+\b", line)]


def test_one_request_runs_on_several_threads() -> None:
    lines = [re.split(r"\s{2,}|(?<=loop) ", line) for line in run("threads")]
    on_loop = {thread for part, kind, thread in lines if kind == "event loop"}
    on_workers = {thread for part, kind, thread in lines if kind == "worker"}
    assert {part for part, kind, thread in lines if kind == "event loop"} == {
        "async dependency"
    }
    assert len(on_loop) == 1
    assert len(on_workers) == 2
    assert not on_loop & on_workers


def test_a_connection_in_a_thread_local_is_mixed_up() -> None:
    leaked = False
    for _ in range(5):  # That connections stay open is likely, not certain.
        few, many, error, reusing = run("mixed_up")
        assert "200: 20, 500: 0," in few
        clients, answered, failed = numbers(many)[0], numbers(many)[2], numbers(many)[4]
        assert answered + failed == clients
        assert failed
        assert error == "  peewee.OperationalError: Connection already opened."
        assert "200: 50, 500: 0," in reusing
        leaked = leaked or not reusing.endswith(": 0")
        if leaked:
            break
    assert leaked


def test_the_tutorials_pattern_hangs_and_a_turn_cures_it() -> None:
    hanging, cured = run("hang")
    assert not hanging.endswith("500: 0")
    assert cured == "a_turn: 200: 100, 500: 0"


def test_lazy_queries_grow_with_the_users_and_eager_ones_do_not() -> None:
    counted = [numbers(line) for line in run("n_plus_one")]
    assert counted == [[users, users + 1, 2] for users in (1, 10, 100)]


def test_two_sign_ups_race() -> None:
    assert run("race") == ["/look-then-write 200 500", "/write 200 400"]


def test_a_slow_reader_holds_a_connection_by_default_only() -> None:
    request, function = run("slow_reader")
    assert request.endswith("held: a connection")
    assert function.endswith("held: nothing")


def test_starlettes_base_for_middleware_runs_the_app_in_another_task() -> None:
    lines = run("middleware")
    base = lines.index("BaseMiddleware")
    for line in ("  the same task: ", "  the middleware sees "):
        plain, other = (text.removeprefix(line) for text in lines if line in text)
        assert (plain, other) in {
            ("True", "False"),
            ("the path operation's", "nothing"),
        }
    for part in (lines[:base], lines[base:]):
        assert "  the connection of the middleware" in part
