"""Times of day as the person's clock shows them (rank 1, pure).

Rules of this file:
1. By the calendar, not by 24 hours: a day on which the clocks change has 23 of them, or 25.
2. Nothing is imported but datetime: `status --check --until` runs in shell prompts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)


def next_at(written: str, now: datetime) -> datetime:
    """The next moment, in UTC, at which the clock here shows `written` (`17:30`).

    Raises:
        ValueError: it is no time of day.

    """
    hours, _, minutes = written.partition(":")
    digits = written.isascii() and hours.isdigit() and minutes.isdigit() and len(hours) <= 2 == len(minutes)
    if not (digits and int(hours) < 24 and int(minutes) < 60):
        raise ValueError("is no time of day like 17:30")
    here = now.astimezone().replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0, tzinfo=None)
    at = here.astimezone(UTC)
    return at if at > now else (here + _DAY).astimezone(UTC)


def shown(at: datetime, now: datetime) -> str:
    """A moment as a person here says it: `14:30`, `tomorrow 09:00`, `Mon 5 Jan 09:00`."""
    here, today = at.astimezone(), now.astimezone().date()
    time = f"{here:%H:%M}"
    if here.date() == today:
        return time
    return f"tomorrow {time}" if here.date() - today == _DAY else f"{here:%a} {here.day} {here:%b} {time}"
