"""Freed memory goes back to the system, where the system's malloc can be told to."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HELD = """
import sys
from ssowatch import malloc

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4

if sys.argv[1] == "told":
    assert malloc.keep_little()
for _ in range(3):  # what is freed raises glibc's threshold, so that the next one comes from its heap and stays there
    blocks = [bytes(8 << 20), bytes(100)]
    del blocks[0]
wall = [b"x" * (6 << 20), b"y" * (6 << 20), bytearray(1000)]
before = resident()
del wall[0]
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc, which is left as it is")
def test_a_big_block_is_given_back_at_once() -> None:
    """Although something that was made after it still lives."""
    assert given_back("told") > 5 << 10
    assert given_back("not told") < 1 << 10


def given_back(how: str) -> int:
    """Of 6 MiB, in KiB."""
    command = (sys.executable, "-c", HELD, how)
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
