"""`ssowatch demo`, as somebody runs it who has no AWS account."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from real.machine import until

pytestmark = pytest.mark.real


def start(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    home = tmp_path / "home"
    home.mkdir()
    environ = {**os.environ, "HOME": str(home), "TMPDIR": str(tmp_path), "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "-m", "ssowatch", "demo", *options],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def left_behind(tmp_path: Path) -> list[str]:
    """What there is of this demo, and of no other that runs on this machine: its files, and who lives in its home."""
    home = f"HOME={tmp_path}/ssowatch-demo-".encode()
    left = [str(place) for place in tmp_path.glob("ssowatch-demo-*")]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended just now, or is another user's
            if home in (process / "environ").read_bytes():
                left.append((process / "cmdline").read_text())
    return left


def test_the_whole_story(tmp_path):
    demo = start(tmp_path, "--fast")
    told, errors = demo.communicate(timeout=600)
    assert (demo.returncode, errors) == (0, ""), told
    text = " ".join(told.split())
    assert "0 failed" in text
    assert "renewal gets no answer from AWS" in text
    assert "✗ MCP server: " in text
    assert re.search(
        r"(SSO session associated with this profile has expired|Token has expired and refresh failed)", text
    )
    assert "✓ The same program, not restarted" in text
    until(lambda: not left_behind(tmp_path), "nothing is left behind")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_it_leaves_nothing_behind(tmp_path, number):
    demo = start(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "Watching since" in line:
            break
    assert left_behind(tmp_path)
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=120)
    assert (demo.returncode, errors) == (130, "")
    until(lambda: not left_behind(tmp_path), "nothing is left behind")
