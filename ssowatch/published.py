"""The published state, read (an edge). `status` starts with it: `os` and `fcntl` alone.

Rules of this file:
1. The file counts while a watcher holds its lock and the pid in the lock is the pid in the file.
2. `status --json` copies the bytes out. What must be looked into is read by the C parser below `json`, because `json`
   itself imports `re` for the white space around a document: 6 ms, half a start of Python. Where that parser is missing
   (it is no public name) or is not what it was, `json` reads it.
"""

from __future__ import annotations

import fcntl
import os

from ssowatch import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGEST = 16 << 20
_HEAD = 160


def running_watcher() -> int | None:
    """The pid of the watcher that holds the lock, else None."""
    try:
        fd = os.open(paths.watcher_lock(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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
        fd = os.open(paths.status_file(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.read(fd, _LARGEST)
    except OSError:  # not a file
        return None
    finally:
        os.close(fd)
    return content if b'"watcher": {"running": true, "pid": %d,' % pid in content[:_HEAD] else None


def document() -> dict[str, Any] | None:
    """What `read` gives, parsed."""
    content = read()
    return parsed(content) if content else None


def parsed(content: bytes) -> dict[str, Any]:
    """One JSON object that begins with the first byte."""
    text = content.decode()
    try:
        from _json import make_scanner

        return make_scanner(_AsJson)(text, 0)[0]  # type: ignore[arg-type, no-any-return] # duck-typed, says typeshed
    except (ImportError, AttributeError, TypeError, StopIteration):
        import json

        return json.loads(text)  # type: ignore[no-any-return]


class _AsJson:
    """What `json.JSONDecoder` tells its scanner."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = parse_constant = float
    parse_int = int
