"""Who asked for quiet, and until when (an edge; one file of our state).

Rules of this file:
1. One JSON object, name to moment; `*` stands for every sign-in. A broken file is an empty one, a broken entry is none:
   the worst that can come of it is a notice.
2. Entries whose time is over go away with the next change; who reads compares with its own `now`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ssowatch import files, paths, protocol
from ssowatch.clock import sensible, utc_now

ALL = "*"
_LIMIT = 256 << 10
_LOCK_SECONDS = 5.0


def load() -> dict[str, datetime]:
    """Every pause that is written down, also one that is over. Never raises."""
    with suppress(files.NotReadableError, ValueError, RecursionError):
        written = json.loads(files.read(paths.pauses_file(), _LIMIT) or b"{}")
        if isinstance(written, dict):
            read = ((name, _moment(value)) for name, value in written.items())
            return {name: until for name, until in read if until}
    return {}


def set(name: str | None, until: datetime | None, now: Callable[[], datetime] = utc_now) -> None:  # noqa: A001 - pauses.set
    """Pause the sign-in `name` (None: all) until then; until None ends that pause, and for all every other one too.

    Raises:
        OSError: it cannot be written.
        files.BusyError: somebody else has been changing it for seconds.

    """
    with files.locked(paths.pauses_lock(), _LOCK_SECONDS):
        moment = now()
        keep = {one: end for one, end in load().items() if end > moment} if name or until else {}
        keep.pop(name or ALL, None)
        if until:
            keep[name or ALL] = until
        files.replace(
            paths.pauses_file(), json.dumps({one: protocol.moment(end) for one, end in keep.items()}).encode()
        )


def _moment(written: object) -> datetime | None:
    with suppress(TypeError, ValueError):
        read = datetime.fromisoformat(written)  # type: ignore[arg-type]
        return read if sensible(read) else None
    return None
