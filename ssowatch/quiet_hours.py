"""When it is quiet, by the local clock: the quiet hours of the config, and the rest of today (rank 1, pure)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)


def end(hours: str | None, now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end, in UTC; None outside of them. `hours` is like `22:00-07:00`."""
    if not hours:
        return None
    begins, ends = (timedelta(hours=int(at[:2]), minutes=int(at[3:])) for at in hours.split("-"))
    local = now.astimezone().replace(tzinfo=None)  # wall-clock arithmetic, right over a change of summer time too
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight - _DAY, midnight):
        begin, finish = day + begins, day + ends + (_DAY if ends <= begins else timedelta())
        if begin <= local < finish:
            return finish.astimezone(UTC)
    return None


def midnight(now: datetime) -> datetime:
    """When today ends where the person is, in UTC."""
    local = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (local + _DAY).astimezone(UTC)
