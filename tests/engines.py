"""Engines that a test runs on, and what to do where one is not installed."""

import os
from collections.abc import Iterable

import pytest


def on(*engines: str, slow: Iterable[str] = ()) -> pytest.MarkDecorator:
    """Run a test on these engines, in place of all; on the `slow` ones with the tests
    that are slow.
    """
    others = [pytest.param(engine, marks=pytest.mark.slow) for engine in slow]
    return pytest.mark.parametrize("engine", [*engines, *others], indirect=True)


def skip(reason: str) -> None:
    """Skip the test, or fail it where everything has to run."""
    if os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.fail(reason)
    pytest.skip(reason)
