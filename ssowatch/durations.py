"""Durations as people write them: `20m`, `1h30m`, `90s`, `2d`, `100ms` (rank 1; pure).

Rules of this file:
1. A number without a unit is no duration: nobody can see whether `30` means seconds or minutes.
2. Units fall from left to right, each at most once: `1h30m`, never `30m1h`.
3. What `text` writes, `parse` reads back as the same span (to the millisecond).
"""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)
# Seven digits are 27,000 years in days: no sum of them can overflow a timedelta. [0-9], as \d also takes other scripts.
# `m(?!s)` keeps the `m` of `100ms` for the milliseconds.
_SHAPE = re.compile(
    r"(?=.)(?:([0-9]{1,7})d)?(?:([0-9]{1,7})h)?(?:([0-9]{1,7})m(?!s))?(?:([0-9]{1,7})s)?(?:([0-9]{1,7})ms)?"
)


def parse(written: str) -> timedelta:
    """The span that `written` names; never negative.

    Raises:
        ValueError: it is not a row of whole numbers with the units d, h, m, s, ms.

    """
    found = _SHAPE.fullmatch(written)
    if found is None:
        raise ValueError("not a duration like 20m, 1h30m, 90s or 2d")
    return sum((int(n) * unit for n, (_, unit) in zip(found.groups(), _UNITS, strict=True) if n), timedelta())


def text(span: timedelta) -> str:
    """The span as `parse` reads it: `1h30m`; less than a millisecond is cut off, a negative span begins with `-`."""
    sign, left = ("-", -span) if span < timedelta() else ("", span)
    parts = []
    for name, unit in _UNITS:
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{name}")
    return sign + "".join(parts) if parts else "0s"
