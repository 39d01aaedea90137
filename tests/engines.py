"""Engines that a test runs on, and what to do where one is not installed."""

import os

import pytest


def on(*engines: str) -> pytest.MarkDecorator:
    """Run a test on these engines, in place of all."""
    return pytest.mark.parametrize("engine", engines, indirect=True)


def skip(reason: str) -> None:
    """Skip the test, or fail it where everything has to run."""
    if os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.fail(reason)
    pytest.skip(reason)
