"""Nothing outlives the wrapper, however it ends: a second process that waits for that (an edge).

Rules of this file:
1. It is a fork without exec, made before there are threads: it shares our memory and costs next to nothing.
2. It holds one end of a pipe whose other end only the wrapper has. The kernel closes that one, even after SIGKILL.
3. It is of a session of its own, so that what kills the wrapper's group does not kill it. It ends what is tied then.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

_GRACE_SECONDS = 2.0
"""A server that reads its closed stdin ends by itself."""
_LOOK_SECONDS = 0.05


class Leash:
    """The wrapper's end. A process group of a child is tied once it is started."""

    def __init__(self) -> None:
        """Fork. Raises OSError: no process or no pipe is to be had."""
        reading, self._writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._writing)
            _wait(reading)
        os.close(reading)

    def tie(self, group: int) -> None:
        """End it when the wrapper ends."""
        self._say(f"+{group}\n")

    def untie(self, group: int) -> None:
        """It has ended, with all its members."""
        self._say(f"-{group}\n")

    def _say(self, word: str) -> None:
        with suppress(OSError):  # somebody killed it
            os.write(self._writing, word.encode())


def _wait(reading: int) -> None:
    """Be the other end. Does not return."""
    try:
        os.setsid()
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):  # the client waits for the end of what we write
            os.dup2(nothing, fd)
        groups: set[int] = set()
        with open(reading, "rb", buffering=0) as words:
            said = b""
            while more := words.read(4096):
                said += more
                *whole, said = said.split(b"\n")
                for word in whole:
                    (groups.add if word[:1] == b"+" else groups.discard)(int(word[1:]))
        _end(groups)
    finally:
        os._exit(0)


def _end(groups: set[int]) -> None:
    """Let them end by themselves, then ask, then do it."""
    for strike in (0, signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, strike)
        until = time.monotonic() + _GRACE_SECONDS
        while (groups := {group for group in groups if _lives(group)}) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS: only zombies are left
        return False
    return True
