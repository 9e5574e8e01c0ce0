"""`ssowatch demo`, as somebody runs it who has no AWS account."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real


def start(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "-m", "ssowatch", "demo", *options],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def left_behind(tmp_path: Path) -> list[str]:
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    of_ours = [line for line in processes.splitlines() if "ssowatch.demo" in line]
    return [*of_ours, *map(str, tmp_path.glob("ssowatch-demo-*"))]


def test_the_whole_story(tmp_path):
    demo = start(tmp_path, "--fast")
    told, errors = demo.communicate(timeout=240)
    assert (demo.returncode, errors) == (0, ""), told
    text = " ".join(told.split())
    assert "0 failed" in text
    assert "renewal gets no answer from AWS" in text
    assert "✗ MCP server: " in text
    assert re.search(
        r"(SSO session associated with this profile has expired|Token has expired and refresh failed)", text
    )
    assert "✓ The same program, not restarted" in text
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_it_leaves_nothing_behind(tmp_path, number):
    demo = start(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "Watching since" in line:
            break
    assert left_behind(tmp_path)
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=30)
    assert (demo.returncode, errors) == (130, "")
    assert not left_behind(tmp_path)
