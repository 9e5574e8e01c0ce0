"""A wall clock that a test moves under the real programs it started.

Rules of this file:
1. The true clock is never set: each program is started with `walljump.c` and reads true time plus an offset. The offset
   is one for all of them, so Identity Center, the watcher and the AWS client agree on the time.
2. The test's own process stays on the true clock and adds the offset itself.
"""

from __future__ import annotations

import mmap
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from ssowatch.clock import utc_now

_SOURCE = Path(__file__).with_name("walljump.c")


def compiled(folder: Path) -> Path:
    """The shim, built; an error of the compiler is an error of the test."""
    shim = folder / "walljump.so"
    flags = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O2"]
    subprocess.run(["gcc", *flags, "-o", shim, _SOURCE], check=True, timeout=60)
    return shim


class Clock:
    """The wall clock of all programs of one test."""

    def __init__(self, shim: Path, offset: Path) -> None:
        offset.write_bytes(bytes(8))
        with offset.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self._seconds = memoryview(self._map).cast("q")
        self.environ = {"LD_PRELOAD": str(shim), "WALLJUMP": str(offset)}

    def now(self) -> datetime:
        """What the programs read."""
        return utc_now() + timedelta(seconds=self._seconds[0])

    def jump(self, by: timedelta) -> None:
        """Move it, in whole seconds; back when `by` is negative."""
        self._seconds[0] += round(by.total_seconds())

    def jump_to(self, moment: datetime) -> None:
        """Move it to this moment, or at most a second past it."""
        self.jump(moment - self.now() + timedelta(seconds=0.5))

    def close(self) -> None:
        """Forget it; programs that still run keep their last offset."""
        self._seconds.release()
        self._map.close()
