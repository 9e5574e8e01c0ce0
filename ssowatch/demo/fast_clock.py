"""A wall clock that runs as fast as the story wants, in every process of the demo (Python only).

Rules of this file:
1. The clock is four numbers in a small shared file: at monotonic time `anchor` it showed `wall`, and runs `rate` times as
   fast as time until it shows `slow`, and as time from there on: so however late the story wakes up, on a busy machine,
   the clock does not run past its next scene. The story writes them; every other process only reads.
2. A child of the demo finds a `sitecustomize` on its path, which calls `install` before anything else is imported. So the
   watcher, its renewal children and boto3 run unchanged; they ask `datetime` and `time` as ever.
3. What `install` puts in place of `datetime.datetime` makes and recognises plain datetimes, so that no library meets a
   foreign type. The monotonic clock stays as it is: timers count real seconds, and the heartbeat sees the difference, as
   after a sleep.
"""

from __future__ import annotations

import datetime as dt
import mmap
import os
import struct
import time
from datetime import datetime as _datetime
from pathlib import Path
from typing import Any

VARIABLE = "SSOWATCH_DEMO_CLOCK"
_FORM = struct.Struct("4d")
_monotonic = time.monotonic


class FastClock:
    """The story's end: it sets the clock."""

    def __init__(self, path: Path, wall: dt.datetime) -> None:
        path.write_bytes(bytes(_FORM.size))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _FORM.size)
        self._set(wall.timestamp(), 1.0, 0.0)

    def now(self) -> dt.datetime:
        """What the clock shows, in UTC."""
        return _datetime.fromtimestamp(_read(self._shared), dt.UTC)

    def run(self, rate: float = 1.0, until: dt.datetime | None = None) -> None:
        """Go on from here, `rate` times as fast as time, and at most until then."""
        self._set(_read(self._shared), rate, until.timestamp() if until else 0.0)

    def leap(self, span: dt.timedelta) -> None:
        """Move on at once, as the clock of a machine that slept."""
        self._set(_read(self._shared) + span.total_seconds(), 1.0, 0.0)

    def close(self) -> None:
        """Let go of the file."""
        self._shared.close()

    def _set(self, wall: float, rate: float, slow: float) -> None:
        self._shared[:] = _FORM.pack(_monotonic(), wall, rate, slow)


def _read(shared: mmap.mmap) -> float:
    while (raw := shared[:]) != shared[:]:  # the writer was in the middle of it
        pass
    anchor, wall, rate, slow = _FORM.unpack(raw)
    passed = _monotonic() - anchor
    quick = max((slow - wall) / rate, 0.0)  # seconds of real time until it slows down
    return float(wall + passed + (rate - 1) * min(passed, quick))


def install() -> None:
    """Make this process live by the shared clock."""
    with Path(os.environ[VARIABLE]).open("r+b") as file:
        shared = mmap.mmap(file.fileno(), _FORM.size)

    class Plain(type):
        """Whatever is a plain datetime is one of these."""

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, _datetime)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, _datetime)

    class Fast(_datetime, metaclass=Plain):
        """`datetime`, but for what it shows as now."""

        def __new__(cls, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - datetime's own forms
            return _datetime(*arguments, **named)  # noqa: DTZ001 - as the caller wants it

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:  # noqa: ANN401 - a plain datetime
            return _datetime.fromtimestamp(_read(shared), tz)

        @classmethod
        def utcnow(cls) -> Any:  # noqa: ANN401 - a plain datetime
            return _datetime.fromtimestamp(_read(shared), dt.UTC).replace(tzinfo=None)

    import ssowatch.model  # noqa: F401 - before: msgspec reads memory files by its types, which must be the plain ones

    time.time = lambda: _read(shared)  # noqa: TID251 - the demo's clock
    dt.datetime = Fast  # type: ignore[misc]
