"""A good moment for a fresh sign-in (rank 1, pure).

Rules of this file:
1. It is offered, never done unasked: once a day, and only where it helps: the present sign-in would end before its day
   does, a fresh one would last noticeably longer, and the portal was not seen to give fresh ones the old end.
2. In the morning: when `schedule.fresh` says so, or within the hour in which somebody is first seen at the screen, on a day
   whose sign-in began before that day. In the evening, when `schedule.evening` says so: if a fresh one lasts through the night, and the
   present one does not.
3. An offer stands for two hours.
"""

from __future__ import annotations

from datetime import datetime

from ssowatch import forecast
from ssowatch.model import HOUR, MINUTE, Day, Lineage, Plan, Presence, Surroundings
from ssowatch.time_of_day import shown

_STANDS = 2 * HOUR
_WORK_ENDS = 14 * HOUR
"""After the day's beginning: a sign-in that lasts as long needs no fresh one in the morning."""


def due(decided: Plan, around: Surroundings, now: datetime) -> bool:
    """Whether a fresh sign-in is to be offered now, or stands offered. `decided` has the forecast."""
    day, ends_from, lineage = around.day, decided.ends_from, decided.memory.lineage
    if not (day and ends_from and decided.fresh_until):
        return False
    if offered := offered_today(lineage, day):
        return now < offered + _STANDS
    if _is_on(day.evening_at, now) and ends_from < day.night_until <= decided.fresh_until:
        return True
    gain = decided.fresh_until - ends_from
    helps = ends_from < day.began_at + _WORK_ENDS and gain >= max(15 * MINUTE, (decided.fresh_until - now) / 8)
    return helps and (_is_on(day.fresh_at, now) or _comes(lineage, around.presence, day, now))


def offered_today(lineage: Lineage, day: Day | None) -> datetime | None:
    """When it was offered on this day."""
    at = lineage.offered_at
    return at if at and day and at >= day.began_at else None


def compared(decided: Plan, until: datetime, now: datetime, login: str) -> str:
    """What to tell who needs it until then, and does not get it: when it ends, and whether a fresh sign-in would do."""
    sure = decided.ends_at_source != "assumed"
    if decided.ends_from:
        end = f"{'ends' if sure else 'may end'} {shown(decided.ends_from, now)}"
    elif decided.renews_silently:
        end = "when it ends is not known"
    else:
        end = f"ends {shown(decided.good_until, now)}" if decided.good_until else "it does not work now"
    if fresh := decided.fresh_until:
        if fresh >= until:
            return (
                f"{end}; a fresh sign-in now {'lasts' if sure else 'may last'} to {shown(fresh, now)}: {login} --fresh"
            )
        return f"{end}; a fresh sign-in now would last to {shown(fresh, now)} on this portal: not enough"
    if decided.ends_from:
        return f"{end}; a fresh sign-in does not move that on this portal"
    return (
        f"{end}, nor how long a sign-in lasts on this portal" if decided.renews_silently else f"{end}; sign in: {login}"
    )


def first_seen(lineage: Lineage, around: Surroundings) -> bool:
    """Whether somebody is seen at the screen for the first time today."""
    day, came_at = around.day, lineage.came_at
    return around.presence is Presence.PRESENT and day is not None and not (came_at and came_at >= day.began_at)


def _comes(lineage: Lineage, presence: Presence | None, day: Day, now: datetime) -> bool:
    """Whether somebody comes to a sign-in of the day before. Where nobody can be seen to come, nobody does."""
    runs_from, came_at = forecast.since(lineage), lineage.came_at
    if runs_from is None or runs_from >= day.began_at or presence is Presence.UNKNOWN:
        return False
    return came_at is None or came_at < day.began_at or now < came_at + HOUR


def _is_on(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now < at + _STANDS
