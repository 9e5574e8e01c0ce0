"""The one place that reads the clock, and what a moment that was read may be (rank 1). Everything else is given `now`."""

from __future__ import annotations

from datetime import UTC, datetime

_YEARS = range(1900, 3000)
"""Far beyond them an hour more, another zone, or a span between two of them is no moment any more (`OverflowError`)."""


def utc_now() -> datetime:
    """The wall clock, aware, UTC. Deadlines of tokens are wall-clock facts, so the monotonic clock is no substitute."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def sensible(at: datetime) -> bool:
    """Whether a moment that stood in a file can be reckoned with: it names its zone, and lies between 1900 and 3000."""
    return at.tzinfo is not None and at.year in _YEARS
