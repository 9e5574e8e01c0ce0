"""What a person and a laptop do all month, decided beforehand, so that it is the same whoever keeps the sign-ins alive.

Times are UTC, and so is the laptop's clock.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ssowatch.model import Presence

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SATURDAY = 5

Span = tuple[datetime, datetime]


class Spans:
    """Spans of time, none of which touches another; a moment may be `in` them."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.all: list[Span] = []
        for begin, end in sorted(spans):
            if self.all and begin <= self.all[-1][1]:
                self.all[-1] = (self.all[-1][0], max(end, self.all[-1][1]))
            elif begin < end:
                self.all.append((begin, end))
        self._begins = [begin for begin, _ in self.all]

    def __contains__(self, moment: datetime) -> bool:
        number = bisect_right(self._begins, moment) - 1
        return number >= 0 and moment < self.all[number][1]

    def within(self, begin: datetime, end: datetime) -> timedelta:
        """How much of the time from `begin` to `end` lies in them."""
        shares = (min(end, one[1]) - max(begin, one[0]) for one in self.all)
        return sum((share for share in shares if share > timedelta()), timedelta())


@dataclass(frozen=True)
class Habits:
    """Of one person. Hours of a weekday; minutes more or less are drawn."""

    at_the_desk: tuple[tuple[float, float], ...] = ((9, 12.25), (13, 18))
    meetings: int = 0
    """A day, of 20 to 60 minutes, with an idle screen."""
    late: float = 10
    """By how many minutes at most the day begins later."""
    lid_closed: tuple[tuple[float, float], ...] = ()
    """The machine sleeps. 24 and more is the next day's morning."""
    trains: tuple[tuple[float, float], ...] = ()
    """No network now and then, for one to twenty minutes; nothing tells when it is back."""
    vpn: bool = False
    """No network for one to three minutes after each time the lid is opened, and twice a day for one to twenty."""
    weekends: bool = False
    """The agents work through those, too."""


@dataclass(frozen=True)
class Diary:
    """All of it."""

    days: int
    present: Spans
    """Somebody is at the screen."""
    work: Spans
    """From coming to leaving, breaks and all: the day, as opposed to the night."""
    asleep: Spans = field(default_factory=Spans)
    offline: Spans = field(default_factory=Spans)
    announced: frozenset[datetime] = frozenset()
    """The ends of those that the network itself tells: an interface comes up."""
    jobs: Spans = field(default_factory=Spans)
    """The agents have something to do, if the machine is awake."""

    def presence(self, now: datetime) -> Presence:
        """As a screen locker would say it."""
        if now in self.present:
            return Presence.PRESENT
        return Presence.IDLE if now in self.work and now not in self.asleep else Presence.LOCKED

    @property
    def arrivals(self) -> list[datetime]:
        """When each workday begins."""
        return [begin for begin, _ in self.work.all]


def written(habits: Habits, days: int, rng: random.Random) -> Diary:
    """A diary from a Monday on."""
    present: list[Span] = []
    work: list[Span] = []
    asleep: list[Span] = []
    jobs: list[Span] = []
    offline: list[Span] = []
    announced: set[datetime] = set()
    for midnight in (MONDAY + number * DAY for number in range(days)):
        weekend = midnight.weekday() >= SATURDAY
        friday = midnight.weekday() == SATURDAY - 1
        shut = [(midnight + one * HOUR, midnight + other * HOUR) for one, other in habits.lid_closed]
        if weekend:
            jobs += [(midnight, midnight + DAY)] if habits.weekends else []
            asleep += [(midnight, end) for _, end in shut if end > midnight + DAY]
            continue
        late = rng.uniform(0, habits.late) * MINUTE
        desk = [(midnight + one * HOUR, midnight + other * HOUR) for one, other in habits.at_the_desk]
        desk[0] = (desk[0][0] + late, desk[0][1])
        present += _without(desk, _meetings(habits.meetings, midnight, rng))
        work.append((desk[0][0], desk[-1][1]))
        nobody_waits = friday and not habits.weekends
        jobs.append((desk[0][0], desk[-1][1] if nobody_waits else midnight + 24 * HOUR + desk[0][0].hour * HOUR))
        asleep += shut
        for begin, end in ((midnight + one * HOUR, midnight + other * HOUR) for one, other in habits.trains):
            gone = begin + rng.uniform(1, 8) * MINUTE
            while gone < end:
                offline.append((gone, min(gone + rng.uniform(1, 20) * MINUTE, end)))
                gone = offline[-1][1] + rng.uniform(2, 15) * MINUTE
        if habits.vpn:
            opened = [desk[0][0], *(end for _, end in shut if end < midnight + DAY)]
            opened += [midnight + rng.uniform(9, 17) * HOUR for _ in range(2)]
            lengths = [*(rng.uniform(1, 3) for _ in opened[:-2]), rng.uniform(1, 20), rng.uniform(1, 20)]
            drops = [(at, at + length * MINUTE) for at, length in zip(opened, lengths, strict=True)]
            offline += drops
            announced |= {end for _, end in drops}
    gone = Spans(offline)
    told = frozenset(end for end in announced if end not in gone)
    return Diary(days, Spans(present), Spans(work), Spans(asleep), gone, told, Spans(jobs))


def _meetings(count: int, midnight: datetime, rng: random.Random) -> Iterator[Span]:
    for _ in range(count):
        begin = midnight + rng.uniform(10, 17.5) * HOUR
        yield begin, begin + rng.uniform(20, 60) * MINUTE


def _without(spans: list[Span], cuts: Iterable[Span]) -> list[Span]:
    """What is left of them."""
    for begin, end in cuts:
        spans = [part for one in spans for part in ((one[0], min(one[1], begin)), (max(one[0], end), one[1]))]
        spans = [one for one in spans if one[0] < one[1]]
    return spans
