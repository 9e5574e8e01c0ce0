"""Gives freed memory back to the system, in processes that live long and now and then hold something big (Linux, glibc).

Rules of this file:
1. Left alone, glibc raises the size from which on a block is mapped, and so unmapped when freed, up to 32 MiB with what
   a program frees, and makes an arena for each thread: one answer of 10 MB would stay for as long as the process lives.
2. It has to be called before there are threads, for the arenas. Where there is no `mallopt(3)` nothing happens.
"""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_THRESHOLD = 32 << 10
"""Below the 64 KiB that a pipe gives at a time, of which a long line is put together."""


def keep_little() -> bool:
    """From here on; whether the system's malloc can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all((mallopt(_M_MMAP_THRESHOLD, _THRESHOLD), mallopt(_M_ARENA_MAX, 1)))
