"""The watcher's own lock: one watcher for each home (an edge).

Rules of this file:
1. `flock`, held for life, with the pid in it: the kernel drops it with the process, so none can be stale.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import Self

from ssowatch import files, paths

_LOCK_SECONDS = 1.0
"""`status` tests the lock by taking it for a moment."""


class AlreadyRunningError(Exception):
    """Another watcher holds the lock; the argument is its pid, or None."""


class OnlyOne:
    """The watcher's lock, held for life, with the pid in it."""

    def __enter__(self) -> Self:
        files.private_dir(paths.state_dir())
        self._fd = os.open(paths.watcher_lock(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    pid = os.read(self._fd, 20).decode(errors="replace").strip()
                    os.close(self._fd)
                    raise AlreadyRunningError(pid or None) from None
                time.sleep(0.02)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        return self

    def holds(self) -> bool:
        """Whether the file that is locked is the one that others would lock."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(paths.watcher_lock()))  # noqa: PTH116
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
