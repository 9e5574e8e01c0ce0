"""The benches run and print their tables. No figure is looked at: on a busy machine every one is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
BENCH = Path(__file__).parents[1] / "bench"
TABLES = {
    # program: the rows that its table must have
    "status": ["python -c pass", "status --json", "status --check dev", "status", "status --json (pip 23)"],
    "service": ["Pss_Anon", "threads", "wake-ups by 1000 foreign reads"] if sys.platform == "linux" else [],
    "reaction": ["10"],
    "scale": ["cold look of a new process", "watcher: tick, nothing changed"],
    "wrap": ["a short call", "1 MB", "Pss of the wrapper and its fork"] if sys.platform == "linux" else [],
    "wake": ["resume or set clock, to published", "network up, to renewed"] if sys.platform == "linux" else [],
    "month": ["boto3, and `aws sso login` after each error", "ssowatch and its wrapper"],
    "peers": ["ssowatch run", "ssowatch status --json"] if sys.platform == "linux" else [],
    "renewal": ['python -c "import boto3"', "a child, 1 due", "a child, 3 due together"],
}


def test_every_bench_prints_its_table():
    assert {path.stem for path in BENCH.glob("*.py")} == {*TABLES, "subject", "stopwatch", "look"}
    running = {
        name: subprocess.Popen(
            [sys.executable, BENCH / f"{name}.py", "--quick"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in TABLES
    }
    for name, process in running.items():
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        assert "--quick: too few rounds to quote" in said
        assert "(failed)" not in said
        firsts = [line.split("|")[1].strip() for line in said.splitlines() if line.startswith("|")]
        assert set(TABLES[name]) <= set(firsts), said
