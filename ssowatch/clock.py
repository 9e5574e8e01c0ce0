"""The one place that reads the clock (rank 1). Everything else is given `now`."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The wall clock, aware, UTC. Deadlines of tokens are wall-clock facts, so the monotonic clock is no substitute."""
    return datetime.now(UTC)  # noqa: TID251 - the one place
