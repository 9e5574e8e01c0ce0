"""How often to look although nothing happened (rank 1, pure).

Rules of this file:
1. Most changes tell of themselves: files by inotify, the plan's moments by its `wake_at`, a resume or a set clock by the
   kernel, children and commands by a word. Where all of that can be heard, a heartbeat is for what nobody thought of.
2. It is slow then, and soon enough: a token is renewed 30 minutes before its end, and still is when a lost word costs
   ten of them, before the first SDK would renew by itself (botocore, at 15 minutes).
3. While something is awaited that tells nobody, such as the end of a locked screen, it is quick.
4. What the user wrote holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ssowatch.protocol import Row

QUICK = timedelta(seconds=30)
SLOW = timedelta(minutes=10)


def interval(wished: timedelta | None, *, hears: bool, waits: bool) -> timedelta:
    """From one look to the next. `wished`: by the config; `hears`: every cause tells of itself; `waits`: for one that never does."""
    if wished is not None:
        return wished
    return SLOW if hears and not waits else QUICK


def awaited(rows: Iterable[Row]) -> bool:
    """Whether somebody is waited for at the screen, or for the end of a sign-in's flow, which may be killed."""
    return any(row.plan.waits or row.signing_in for row in rows)


def moments(rows: Iterable[Row]) -> Iterable[datetime | None]:
    """When something changes by itself."""
    for row in rows:
        yield from (row.plan.wake_at, row.paused_until)
