"""The log of acts: one JSON line each, the last weeks of them (an edge).

Rules of this file:
1. The watcher alone writes, and never waits for it: a disk that is full costs lines of the log and nothing else.
2. It is bounded: a file that is full becomes the old one, in place of the one before. A sign-in that is renewed every
   half hour writes 10 KB a day.
3. Who reads gets whole lines only. A line that is none (a torn write, somebody's editor) is passed over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from ssowatch import acts, files, paths
from ssowatch.model import Presence
from ssowatch.plain import escaped
from ssowatch.protocol import Row

FULL = 1 << 20
_LOOK_SECONDS = 0.5


class ActLog:
    """Writes down what each look finds new."""

    def __init__(self) -> None:
        self._before: dict[str, Row] = {}

    def look(self, rows: Iterable[Row], now: datetime, presence: Presence | None = None) -> None:
        """Find what happened since the last look; the first one finds nothing."""
        rows = tuple(rows)
        told = [
            acts.line(now, row, event, message, presence)
            for row in rows
            if (before := self._before.get(row.sign_in.name))
            for event, message in acts.between(before, row)
        ]
        self._before = {row.sign_in.name: row for row in rows}
        if told:
            with suppress(OSError):
                append(told)


def append(lines: Iterable[dict[str, Any]]) -> None:
    """Write lines at the end.

    Raises:
        OSError: it cannot.

    """
    path = paths.act_log()
    files.private_dir(os.path.dirname(path))  # noqa: PTH120
    with suppress(FileNotFoundError):
        if os.stat(path).st_size >= FULL:  # noqa: PTH116
            os.replace(path, paths.old_act_log())  # noqa: PTH105
    content = "".join(escaped(json.dumps(line, ensure_ascii=False)) + "\n" for line in lines).encode()
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":  # a line was cut off by a full disk: it ends here
            content = b"\n" + content
        os.write(fd, content)
    finally:
        os.close(fd)


def read() -> list[dict[str, Any]]:
    """Every act that is still written down, the oldest first."""
    return [act for path in (paths.old_act_log(), paths.act_log()) for act in _parsed(_content(path))]


def follow(since: str | None = None) -> Iterator[dict[str, Any] | None]:
    """Every act from now on, for ever; None whenever there was none for half a second.

    `since`, a moment as the log writes it: first the acts from then on.
    """
    path = paths.act_log()
    fd = _opened(path)
    if since is None and fd is not None:
        os.lseek(fd, 0, os.SEEK_END)
    elif since is not None and _is_another(paths.old_act_log(), fd):
        yield from (act for act in _parsed(_content(paths.old_act_log())) if act["at"] >= since)
    rest = b""
    try:
        while True:
            part = b"" if fd is None else os.read(fd, FULL)
            *lines, rest = (rest + part).split(b"\n")
            yield from (act for act in _parsed(lines) if since is None or act["at"] >= since)
            if part:
                continue
            if _is_another(path, fd):
                if fd is not None:
                    os.close(fd)
                fd, rest = _opened(path), b""
            else:
                yield None
                time.sleep(_LOOK_SECONDS)
    finally:
        if fd is not None:
            os.close(fd)


def _content(path: str) -> list[bytes]:
    try:
        return (files.read(path, 2 * FULL) or b"").splitlines()
    except files.NotReadableError:
        return []


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with suppress(ValueError, RecursionError):
            act = json.loads(line)
            if isinstance(act, dict) and isinstance(act.get("at"), str) and isinstance(act.get("event"), str):
                yield act


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def _is_another(path: str, fd: int | None) -> bool:
    """Whether a file stands at `path` that is not the open one."""
    try:
        info = os.stat(path)  # noqa: PTH116
    except OSError:
        return False
    return fd is None or not os.path.samestat(info, os.fstat(fd))
