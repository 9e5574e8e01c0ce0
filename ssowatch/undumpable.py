"""Keeps what this process has read out of core dumps and debuggers (below every edge; Linux prctl(2))."""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def refuse_dumps() -> None:
    """From here on: no core dump, and no ptrace by other processes of the user.

    Token files pass through the memory of whoever fingerprints or renews them, and Python cannot wipe a string.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
