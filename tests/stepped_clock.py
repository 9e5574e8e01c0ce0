"""The machine's wall clock, stepped by a nanosecond: enough for the kernel to tell who listens, and too little to harm.

It is one atomic step (clock_adjtime(2) with ADJ_SETOFFSET), not a reading that is written back later.
"""

from __future__ import annotations

import ctypes
import os
import struct
import time

import pytest

_SETOFFSET, _NANOSECONDS = 0x0100, 0x2000  # ADJ_*


def step() -> None:
    """Set the clock a nanosecond ahead.

    Raises:
        PermissionError: this process may not (CAP_SYS_TIME).

    """
    change = bytearray(208)
    struct.pack_into("@I", change, 0, _SETOFFSET | _NANOSECONDS)
    struct.pack_into("@2q", change, 72, 0, 1)  # `time`: seconds, nanoseconds
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.clock_adjtime(time.CLOCK_REALTIME, (ctypes.c_char * len(change)).from_buffer(change)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def required() -> None:
    """Skip where the clock may not be set: a container's root often may not, and CI cannot give itself that right."""
    try:
        step()
    except PermissionError:
        pytest.skip("the machine's clock may not be set here (CAP_SYS_TIME)")
