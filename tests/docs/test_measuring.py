"""Programs that measure: what they ask for."""

import runpy
import sys

import pytest

from .documents import ROOT

PROGRAMS = sorted(file.stem for file in (ROOT / "docs").glob("measure_*.py"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_show_their_usage(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as done:
        runpy.run_module(f"docs.{name}", run_name="__main__", alter_sys=True)
    assert done.value.code == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage == f"usage: python -m docs.{name} [-h] [DATABASE_URL]"
    assert description.endswith(".")
