"""The published state, read and written (an edge). `status` starts with it: `os` and `fcntl` alone.

Rules of this file:
1. The file counts while a watcher holds its lock and the pid in the lock is the pid in the file.
2. Nothing here is parsed: `status --json` copies the bytes out.
"""

from __future__ import annotations

import fcntl
import os

from ssowatch import paths

_LARGEST = 16 << 20
_HEAD = 160


def running_watcher() -> int | None:
    """The pid of the watcher that holds the lock, else None."""
    try:
        fd = os.open(paths.watcher_lock(), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(fd, 20).strip()
        return int(text) if text.isdigit() else None
    except OSError:
        return None
    finally:
        os.close(fd)
    return None


def read() -> bytes | None:
    """What the running watcher published, or None where none runs or it has not published yet."""
    pid = running_watcher()
    if pid is None:
        return None
    try:
        fd = os.open(paths.status_file(), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.read(fd, _LARGEST)
    finally:
        os.close(fd)
    return content if b'"watcher": {"running": true, "pid": %d,' % pid in content[:_HEAD] else None
