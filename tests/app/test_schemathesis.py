"""Schemathesis against the real app: all checks, all operations, stateful.

`SCHEMATHESIS_EXAMPLES` is the number of examples for an operation. The seed is
fixed; `SCHEMATHESIS_SEED` sets another, and `SCHEMATHESIS_SEED=random` a new one.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.server import serve

FOLDER = Path(__file__).parent


@pytest.mark.slow
def test_schemathesis_finds_nothing(url: str, tmp_path: Path) -> None:
    seed = os.environ.get("SCHEMATHESIS_SEED", "1")
    with serve(url, "--no-access-log") as server:
        run = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("--config-file", FOLDER / "schemathesis.toml"),
                *("run", f"{server.base_url}/openapi.json", "--no-color"),
                *("--max-examples", os.environ.get("SCHEMATHESIS_EXAMPLES", "20")),
                *("--request-timeout", "60", "--suppress-health-check", "all"),
                *(() if seed == "random" else ("--seed", seed)),
            ],
            cwd=tmp_path,
            env=os.environ
            | {"SCHEMATHESIS_HOOKS": "tests.app.schemathesis_hooks"}
            | {"PYTHONPATH": str(FOLDER.parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log = server.stop()
    assert run.returncode == 0, run.stdout + log
    operations = re.search(r"(\d+) selected / (\d+) total", run.stdout)
    assert operations
    assert operations[1] == operations[2] != "0"
    assert "Traceback" not in log, log
