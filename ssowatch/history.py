"""The last days of the sign-ins, worked out of the log of acts (rank 1, pure).

Rules of this file:
1. An act tells the state from then on, until the next one or, for a sign-in that works, until its own end: a machine that
   was switched off told nothing.
2. *Expired while you worked* counts from the moment a person was asked (which happens where somebody is, or where that
   cannot be known) until the sign-in works again, two hours at most: who takes longer does not work with it. A machine
   without a network is not expired.
3. *Unattended* is how long a live token lay there with the screen locked or idle, as far as that is known: it is looked at
   with each renewal, and holds for an hour at most.
4. Days are those of the zone of `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from ssowatch.clock import sensible

_LONGEST_WAIT = timedelta(hours=2)
_SEEN_FOR = timedelta(hours=1)
_WORKS = {"valid", "expiring"}
_AWAY = {"locked", "idle"}
_COUNTED = ("renewed", "signed_in", "warned")


class Cell(StrEnum):
    """What a stretch of a day was like."""

    UNKNOWN = "unknown"
    OVER = "over"
    GOOD = "good"
    UNATTENDED = "nobody there"
    UNREACHABLE = "no answer from AWS"
    EXPIRED = "expired while you worked"


_CELLS = {
    "valid": Cell.GOOD,
    "expiring": Cell.GOOD,
    "unreachable": Cell.UNREACHABLE,
    "login_required": Cell.OVER,
    "signed_out": Cell.OVER,
}


@dataclass(slots=True)
class Day:
    """One day of one sign-in, or of several."""

    date: date
    renewed: int = 0
    signed_in: int = 0
    warned: int = 0
    expired_in_use: timedelta = timedelta()
    unattended: timedelta = timedelta()
    cells: tuple[Cell, ...] = ()
    sign_ins_at: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Span:
    begin: datetime
    end: datetime
    cell: Cell


def days(acts: Iterable[Mapping[str, Any]], now: datetime, count: int, cells: int = 0) -> list[Day]:
    """The last `count` days, the oldest first, today included; each cut into `cells` equal stretches (of one sign-in)."""
    known = [{**act, "at": at.astimezone(now.tzinfo)} for act in acts if (at := _at(act))]
    dates = [now.date() - timedelta(days=back) for back in reversed(range(count))]
    found = {one: Day(one) for one in dates}
    for act in known:
        day = found.get(act["at"].date())
        if day and act["event"] in _COUNTED:
            setattr(day, act["event"], getattr(day, act["event"]) + 1)
        if day and act["event"] == "signed_in":
            day.sign_ins_at.append(act["at"])
    for name in {act["sign_in"] for act in known}:
        own = [act for act in known if act["sign_in"] == name]
        spans, waits = list(_spans(own, now)), list(_waits(own, now))
        for day in found.values():
            _fill(day, spans, waits, now, cells)
    return list(found.values())


def _fill(day: Day, spans: Sequence[_Span], waits: Sequence[_Span], now: datetime, cells: int) -> None:
    """What one sign-in was like on a day."""
    begin, end = _bounds(day.date, now)
    today = [span for span in spans if _overlap(span, begin, end)]
    alone = [span for span in today if span.cell is Cell.UNATTENDED]
    day.expired_in_use += sum((_overlap(span, begin, end) for span in waits), timedelta())
    day.unattended += sum((_overlap(span, begin, end) for span in alone), timedelta())
    if cells:
        length = (end - begin) / cells
        today += waits
        day.cells = tuple(_cell(today, begin + number * length, length) for number in range(cells))


def document(found: Iterable[Day]) -> dict[str, Any]:
    """The JSON of the contract."""
    rows = [
        {
            "date": day.date.isoformat(),
            "renewed": day.renewed,
            "signed_in": day.signed_in,
            "warned": day.warned,
            "expired_minutes_in_use": round(day.expired_in_use / timedelta(minutes=1)),
        }
        for day in found
    ]
    return {"version": 1, "days": rows}


def totals(found: Sequence[Day]) -> list[str]:
    """The days in a sentence or two."""
    renewed, signed_in = sum(day.renewed for day in found), sum(day.signed_in for day in found)
    minutes = round(sum((day.expired_in_use for day in found), timedelta()) / timedelta(minutes=1))
    hours = round(sum((day.unattended for day in found), timedelta()) / timedelta(hours=1))
    span = "today" if len(found) == 1 else f"{len(found)} days"
    expired = f"{_many(minutes, 'minute')} expired while you worked"
    lines = [f"{span}: {_many(renewed, 'renewal')}, {_many(signed_in, 'sign-in')}, {expired}"]
    if hours:
        lay = f"{_many(hours, 'hour')} with nobody at the screen"
        lines.append(f"A live token lay here for {lay}, as far as that is known.")
    return lines


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _spans(acts: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[_Span]:
    """What one sign-in was like, from act to act."""
    for act, following in pairwise([*acts, None]):
        assert act is not None, "only the last one is"  # noqa: S101 - for the type
        begin, end = act["at"], following["at"] if following else now
        state = act.get("state")
        if state in _WORKS:
            good_until = _moment(act.get("good_until"))
            end = min(end, good_until) if good_until else end
            if act.get("presence") in _AWAY:
                seen_until = min(end, begin + _SEEN_FOR)
                yield _Span(begin, seen_until, Cell.UNATTENDED)
                begin = seen_until
        yield _Span(begin, end, _CELLS.get(str(state), Cell.UNKNOWN))


def _waits(acts: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[_Span]:
    """When somebody was there and calls failed."""
    asked_at: datetime | None = None
    for act in acts:
        if act.get("state") == "login_required":
            if act["event"] in {"warned", "tab"}:
                asked_at = asked_at or act["at"]
        elif asked_at:
            yield _Span(asked_at, min(act["at"], asked_at + _LONGEST_WAIT), Cell.EXPIRED)
            asked_at = None
    if asked_at:
        yield _Span(asked_at, min(now, asked_at + _LONGEST_WAIT), Cell.EXPIRED)


def _cell(spans: Iterable[_Span], begin: datetime, length: timedelta) -> Cell:
    """What most of a stretch was like; a call that failed is not hidden by the rest."""
    shares: dict[Cell, timedelta] = {}
    for span in spans:
        shares[span.cell] = shares.get(span.cell, timedelta()) + _overlap(span, begin, begin + length)
    if shares.get(Cell.EXPIRED):
        return Cell.EXPIRED
    best = max(shares, key=lambda cell: shares[cell], default=Cell.UNKNOWN)
    return best if shares.get(best, timedelta()) >= length / 4 else Cell.UNKNOWN


def _overlap(span: _Span, begin: datetime, end: datetime) -> timedelta:
    return max(min(span.end, end) - max(span.begin, begin), timedelta())


def _bounds(day: date, now: datetime) -> tuple[datetime, datetime]:
    """A day's beginning and end, whichever length it has."""
    begin, end = (datetime.combine(one, time(), now.tzinfo) for one in (day, day + timedelta(days=1)))
    return begin, end


def _at(act: Mapping[str, Any]) -> datetime | None:
    return _moment(act.get("at")) if isinstance(act.get("sign_in"), str) else None


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
    return at if at and sensible(at) else None
