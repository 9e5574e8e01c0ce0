"""A renewal that failed is made again when the network comes up, told by the kernel; in a network namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real


def test_a_renewal_waits_for_the_network_and_no_longer(home):
    if sys.platform != "linux" or os.geteuid() or not shutil.which("ip") or not shutil.which("unshare"):
        assert os.environ.get("SSOWATCH_CI") != "1", (
            "CI must be able to make a network namespace (root, `ip`, `unshare`)"
        )
        pytest.skip("no network namespace without root, `ip` and `unshare`")
    story = Path(__file__).with_name("network_story.py")
    command = ["unshare", "--net", sys.executable, story, "2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 2
