"""Says that the wall clock jumped: it was set, or the machine woke up (an edge; Linux timerfd_create(2)).

Rules of this file:
1. It causes a tick and decides nothing. While nothing jumps it costs a descriptor and no wake-up.
2. A timer on the real-time clock that is due in 2038 and is cancelled when the clock is set (TFD_TIMER_CANCEL_ON_SET): the
   kernel makes it readable, with ECANCELED, at every discontinuous change of that clock, and a resume is one. The
   timer stays armed after that. A clock that NTP slews does not jump.
3. ctypes, which watchdog has loaded before us; `os.timerfd_create` comes with Python 3.13 only.
4. A preloaded library may move the clock behind the kernel's back, as libfaketime does: then this does not hear all, and
   says so. Elsewhere than on Linux the heartbeat alone must do.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress

_ABSTIME, _CANCEL_ON_SET = 1, 2  # TFD_TIMER_*
_FAR = struct.pack("@4l", 0, 0, (1 << 31) - 1, 0)  # struct itimerspec: no interval; as far as 32 bits reach


class ClockSet:
    """Calls `was_set` on `loop`, between `open` and `close`, when the wall clock jumped."""

    def __init__(self, loop: AbstractEventLoop, was_set: Callable[[], None]) -> None:
        self._loop = loop
        self._was_set = was_set
        self._timer: int | None = None

    def open(self) -> bool:
        """Listen from now on. False where jumps cannot be heard, or not all of them."""
        if sys.platform != "linux":
            return False
        kernel = ctypes.CDLL(None)
        timer: int = kernel.timerfd_create(time.CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
        if timer < 0:  # a sandbox, no descriptor left
            return False
        if kernel.timerfd_settime(timer, _ABSTIME | _CANCEL_ON_SET, _FAR, None) < 0:
            os.close(timer)
            return False
        self._timer = timer
        self._loop.add_reader(timer, self._readable)
        return not os.environ.get("LD_PRELOAD")

    def close(self) -> None:
        """Listen no longer. Harmless when it does not."""
        if self._timer is not None:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = None

    def _readable(self) -> None:
        if self._timer is not None:
            with suppress(OSError):  # ECANCELED; it is readable no more
                os.read(self._timer, 8)
            self._was_set()
