"""The person's day and the cron lines of the config (an edge, one with settings.py).

APScheduler's CronTrigger is a calculator here: what is due follows from the moments that have passed today, whenever
somebody looks. There is no job per line; `wakeup.py` has one for the nearest moment of all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ssowatch.model import Day

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_BEGINS = 5
"""The hour at which a person's day begins: late work still belongs to the day before."""
_MORNING = timedelta(hours=26)
"""From there to seven o'clock next morning: until when an evening's sign-in should last, where no `fresh` line says so."""
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBERS = {name: number for number, name in [*enumerate(map(str, range(8))), *enumerate(_WEEKDAYS[:7])]}


def check(line: str) -> None:
    """Whether it is a cron line.

    Raises:
        ValueError: it is none; the message says why.

    """
    if not _first(line, datetime.now(UTC)):  # noqa: TID251 - any moment will do
        raise ValueError("that day never comes")


def day(fresh: str | None, evening: str | None, now: datetime) -> Day:
    """The day on which `now` falls, by the local clock."""
    local = now.astimezone().replace(tzinfo=None)  # wall-clock arithmetic, right over a change of summer time too
    begins = (local - timedelta(hours=_BEGINS)).replace(hour=_BEGINS, minute=0, second=0, microsecond=0)
    began_at, next_day = begins.astimezone(UTC), (begins + timedelta(days=1)).astimezone(UTC)
    fresh_at, evening_at = (_first(line, began_at) if line else None for line in (fresh, evening))
    upcoming = _first(fresh, now) if fresh else None
    return Day(
        began_at=began_at,
        fresh_at=fresh_at,
        evening_at=evening_at,
        night_until=upcoming or (begins + _MORNING).astimezone(UTC),
        next_at=min(at for at in (fresh_at, evening_at, next_day) if at and at > now),
    )


class Days:
    """Knows the day until it changes: working it out costs more than all of an idle look."""

    def __init__(self) -> None:
        self._known: tuple[object, datetime, Day] | None = None

    def of(self, fresh: str | None, evening: str | None, now: datetime) -> Day:
        """As `day`."""
        lines = (fresh, evening)
        if not self._known or self._known[0] != lines or not self._known[1] <= now < self._known[2].next_at:
            self._known = (lines, now, day(fresh, evening, now))
        return self._known[2]


def _first(line: str, after: datetime) -> datetime | None:
    """The first moment of a cron line from there on; None for 31 February."""
    found = _trigger(line, after).get_next_fire_time(None, after)
    return found.astimezone(UTC) if found else None


def _trigger(line: str, now: datetime) -> CronTrigger:
    """By the local clock as it goes at `now`."""
    from apscheduler.triggers.cron import CronTrigger  # only who has such a line pays for it

    *fields, weekdays = line.split()
    named = ",".join(map(_by_name, weekdays.split(",")))
    return CronTrigger.from_crontab(" ".join([*fields, named]), timezone=now.astimezone().tzinfo)


def _by_name(part: str) -> str:
    """Weekdays, each by its name: APScheduler's week begins on Monday, so it counts otherwise and knows no `sun-thu`."""
    days, _, step = part.lower().partition("/")
    first, dash, last = ("0-6" if days == "*" and step else days).partition("-")
    begin, end = _NUMBERS.get(first), _NUMBERS.get(last if dash else first)
    if begin is None or end is None or not (step or "1").strip("0").isdecimal():
        return part  # every day, or what APScheduler complains of, such as a step of 0
    end = end or 7 if begin else end  # to Sunday, as the week's last day
    return ",".join(_WEEKDAYS[begin : end + 1 : int(step or 1)]) or part
