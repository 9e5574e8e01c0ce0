"""How long a sign-in lasts on a portal, and when the present one ends (rank 1, pure).

The length is the admin's choice (8 h by default, 15 min to 90 d) and is written nowhere on this machine. What can be
seen are *lives*: since when a sign-in ran, when it was last known to live, when a renewal was refused. They are kept as
they were seen; what they mean is worked out here, anew each time.

Rules of this file:
1. A life bounds the length: at least until it was last known to live, at most until it was refused. Lives that agree
   narrow the bounds. A machine that was asleep at the end gives wide ones, which do no harm; where nothing narrower is
   known, 8 h are assumed, if they lie within.
2. A life that was ended (a sign-out, a fresh sign-in), that began before it was seen, or in which nobody looked between
   its first third and its end says "at least" alone. But where the very first look finds three in a row over at the
   same age, one after the other, no chance ended them: the sign-ins of this portal grow no older.
3. A life longer than the bounds is believed at once. A shorter one may have begun inside a session of the browser that
   was older, or an admin ended it: a doubt, for which the forecast becomes earlier, until the next life agrees with
   either. Two shorter ones that agree are the admin's new choice.
4. Signing in while a sign-in lives moves nothing (AWS: "the CLI reuses the existing session and will expire whenever
   the existing session expires"); after a fresh sign-in the clock runs anew, unless this portal was seen not to do so.
5. A token that is given a shorter life than usual ends with its sign-in: that tells the end to the second.
6. An end that has passed although the sign-in lives was wrong, and is not repeated; how long it has lived now counts as
   a life of rule 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ssowatch.model import HOUR, MINUTE, Life, Lineage, Memory, SignIn

ASSUMED = 8 * HOUR
"""Identity Center's default session duration (IAM Identity Center user guide, "Configure the session duration")."""
SHORTEST = 15 * MINUTE
"""The shortest that an admin can choose (same page)."""
_NO_CHANCE = 3
KEPT = 16
"""Lives per sign-in; so the oldest go, whatever they said."""
PAGES = 3 * MINUTE
"""The portal's clock starts with the password, ours with the token: a person is on the pages in between. No two lives
agree better than that."""

_AFTER = timedelta(seconds=5)
NARROW = 10 * MINUTE
"""Bounds as close as that are one moment to a person: "about 16:58"."""


@dataclass(frozen=True, slots=True)
class Length:
    """The bounds of a portal's length. `most` is None where a sign-in was seen to outlive what was believed."""

    least: timedelta
    most: timedelta | None
    doubt: tuple[timedelta, timedelta] | None = None
    """The bounds of one shorter life, which the next must confirm."""

    @property
    def usable(self) -> bool:
        """Whether a time of day follows from it."""
        return self.most is not None and self.most - self.least <= max(HOUR, self.most / 4)


@dataclass(frozen=True, slots=True)
class End:
    """When a sign-in ends: not before `earliest`, not after `latest`. `source` is the contract's word."""

    earliest: datetime
    latest: datetime
    source: str
    told: bool = False
    """By AWS, through a token of a shorter life."""


def end(lineage: Lineage, lives: Iterable[Life], configured: timedelta | None, now: datetime) -> End | None:
    """The end of the present sign-in; None where nothing can be said."""
    if lineage.tail_at:
        return End(lineage.tail_at, lineage.tail_at, "learned", told=True) if lineage.tail_at > now else None
    if lineage.began_at is None:
        return None
    seen = [*lives, *([] if lineage.clock_set else [life(lineage, None)])]
    known, source = believed(seen, configured)
    if known is None:
        return None
    earliest, latest = _bounds(lineage, lineage.began_at, known, seen, now)
    if lineage.late:
        earliest, source = latest, source if configured else "assumed"
    return End(earliest, latest, source) if latest > now else None


def check_at(
    lineage: Lineage, lives: Iterable[Life], others: Iterable[Life], configured: timedelta | None
) -> datetime | None:
    """When one renewal more tells most about the end; at most one in a sign-in's life.

    As soon as another sign-in of the portal (`others`) has ended, for it may have taken this one along. Else in the middle
    of wide bounds, or right after the last moment of narrow ones.
    """
    if lineage.began_at is None or lineage.late:
        return None
    alive_at = lineage.alive_at or lineage.began_at
    ends = [one.dead_at for one in others if one.dead_at and one.dead_at > lineage.began_at]
    if ends:
        return min(ends) if min(ends) > alive_at else None  # it was asked then, and lives on
    seen = list(lives)
    known = believed(seen, configured)[0]
    if known is None:
        return None
    earliest, latest = _bounds(lineage, lineage.began_at, known, seen, lineage.began_at)
    return earliest + (latest - earliest) / 2 if latest - earliest > NARROW else latest + _AFTER


def believed(lives: Iterable[Life], configured: timedelta | None) -> tuple[Length | None, str]:
    """The length to count with, and where it comes from; None where the sign-ins last longer than was assumed."""
    if configured:
        return Length(configured, configured), "configured"
    known = length(lives)
    if known and known.usable:
        return known, "learned"
    if known and not (known.least - PAGES <= ASSUMED and (known.most is None or known.most + PAGES >= ASSUMED)):
        return None, "assumed"
    return Length(ASSUMED, ASSUMED), "assumed"


def length(lives: Iterable[Life]) -> Length | None:
    """What the lives of a portal say of its length; None: nothing."""
    known: Length | None = None
    alike: list[tuple[datetime, timedelta]] = []
    for one in sorted(lives, key=lambda one: one.dead_at or one.alive_at):
        least, most = _span(one, known)
        alike = _over_at_first_look(one, alike)
        if len(alike) >= _NO_CHANCE:
            most = max(age for _, age in alike)
            least = min(SHORTEST, most / 2)
        known = _with(known, least, most)
    return known


def _over_at_first_look(one: Life, before: list[tuple[datetime, timedelta]]) -> list[tuple[datetime, timedelta]]:
    """Those in a row, this one last, that the first look found over at one age: beginning, age. Ended together is one."""
    if one.dead_at is None or one.late or one.inside or one.alive_at - one.began_at > PAGES:
        return []
    this = one.began_at, one.dead_at - one.began_at
    if not before:
        return [this]
    began_at, age = before[-1]
    if one.began_at < began_at + age:
        return before
    return [*before, this] if abs(this[1] - age) <= PAGES else [this]


def life(lineage: Lineage, dead_at: datetime | None) -> Life:
    """The sign-in as one life, refused at `dead_at`; None: it lives, or was ended. `began_at` must be known."""
    began_at = lineage.began_at
    assert began_at, "who asks knows it"  # noqa: S101 - for the type
    alive_at = lineage.alive_at or began_at
    if lineage.tail_at:
        alive_at = dead_at = lineage.tail_at
    elif dead_at:
        alive_at = min(alive_at, dead_at)
    return Life(began_at, alive_at, dead_at, lineage.inside, lineage.fresh, lineage.late)


def tells(lives: Iterable[Life], one: Life) -> bool:
    """Whether a life is worth keeping beside those: it has an end, or outlived what was believed."""
    if one.dead_at and one.dead_at >= one.began_at:
        return True
    known = length(lives)
    most = known.most if known and known.most else max(ASSUMED, known.least if known else ASSUMED)
    return _span(one, known)[0] > most + PAGES


def told(memory: Memory) -> tuple[Life, ...]:
    """What a sign-in can tell the other ones of its portal: its lives, the present one included."""
    lineage = memory.lineage
    over = memory.token.refused or lineage.ended_at or lineage.signed_out_at or lineage.clock_set
    return (*memory.lives, life(lineage, None)) if lineage.began_at and not over else memory.lives


def by_portal(known: Iterable[tuple[SignIn, Memory]]) -> dict[str, list[tuple[str, Life]]]:
    """What the sign-ins tell, each with the name of who does, by the portal."""
    found: dict[str, list[tuple[str, Life]]] = {}
    for sign_in, memory in known:
        found.setdefault(portal(sign_in.start_url), []).extend((sign_in.name, life) for life in told(memory))
    return found


def portal(start_url: str) -> str:
    """What start URLs of one portal have in common."""
    return start_url.partition("#")[0].rstrip("/")


def since(lineage: Lineage) -> datetime | None:
    """Since when the sign-in's clock runs, as far as can be said of it alone."""
    return lineage.inside if lineage.inside and not lineage.fresh else lineage.began_at


def _fresh_helps(lives: Iterable[Life], known: Length) -> bool:
    """Whether ending a sign-in first moves the end of the next; yes until the opposite was seen."""
    answer = True
    for one in lives:
        if one.fresh and one.inside:
            if one.alive_at > one.inside + _most(known) + PAGES:
                answer = True
            elif unmoved(one, known):
                answer = False
    return answer


def fresh_until(lives: Iterable[Life], configured: timedelta | None, now: datetime) -> datetime | None:
    """How long a fresh sign-in at `now` would last for sure; None: it would not move the end, or nobody knows."""
    seen = list(lives)
    known = believed(seen, configured)[0]
    return now + known.least if known and _fresh_helps(seen, known) else None


def ended_as_before(memory: Memory, configured: timedelta | None) -> bool:
    """Whether the sign-in that was refused is a fresh one that ended when the one before it would have."""
    last = memory.lives[-1] if memory.lives else None
    if last is None or last.began_at != memory.lineage.began_at:
        return False
    known = believed(memory.lives[:-1], configured)[0]
    return known is not None and unmoved(last, known)


def unmoved(one: Life, known: Length) -> bool:
    """Whether a fresh sign-in ended when the one before it would have."""
    if not (one.fresh and one.inside and one.dead_at):
        return False
    too_early = one.dead_at < one.began_at + known.least - PAGES
    latest, earliest = one.inside + _most(known) + PAGES, one.inside + known.least - PAGES
    return too_early and one.alive_at <= latest and one.dead_at > earliest


def _most(known: Length) -> timedelta:
    """Of a length to count with, which has one."""
    assert known.most is not None, "`believed` looked"  # noqa: S101 - for the type
    return known.most


def _bounds(
    lineage: Lineage, began_at: datetime, known: Length, lives: Iterable[Life], now: datetime
) -> tuple[datetime, datetime]:
    runs_from, most = began_at, _most(known)
    if inside := lineage.inside:
        goes_on = not lineage.fresh or not _fresh_helps(lives, known)
        over = max(began_at, now - PAGES) > inside + most
        runs_from = inside if goes_on and not over else began_at
    least = known.least
    if known.doubt and now <= runs_from + known.doubt[1] + PAGES:
        least = known.doubt[0]
    return runs_from + least, runs_from + most


def _span(one: Life, known: Length | None) -> tuple[timedelta, timedelta | None]:
    """How long it lived: at least, at most."""
    runs_from, most = one.began_at, known.most if known else ASSUMED
    if one.inside and most and one.began_at <= one.inside + most:
        if one.fresh:
            moved = not unmoved(one, known or Length(ASSUMED, ASSUMED))
        else:
            moved = known is not None and one.alive_at > one.inside + most + PAGES
        runs_from = one.began_at if moved else one.inside
    least = max(one.alive_at - runs_from, timedelta())
    if one.dead_at is None or one.late or least < (one.dead_at - runs_from) / 3:
        return least, None
    return least, one.dead_at - runs_from


def _with(known: Length | None, least: timedelta, most: timedelta | None) -> Length | None:
    """The bounds, a life later."""
    if known is None:
        return Length(least, most) if most is not None or least > ASSUMED + PAGES else None
    if most is None:
        if known.most is not None and least > known.most + PAGES:
            return Length(least, None)
        return replace(known, least=max(known.least, min(least, known.most or least)))
    before = (known.least, known.most if known.most is not None else max(most, known.least + HOUR))
    if _agree(before, (least, most)):
        return _narrowed(before, (least, most))
    if most > before[1]:
        return Length(least, most)
    if known.doubt and _agree(known.doubt, (least, most)):
        return _narrowed(known.doubt, (least, most))
    return replace(known, doubt=(least, most))


def _agree(one: tuple[timedelta, timedelta], other: tuple[timedelta, timedelta]) -> bool:
    """Whether both may be bounds of one length. That they touch is not enough, where they are wide."""
    widest = min(one[1] - one[0], other[1] - other[0])
    return min(one[1], other[1]) - max(one[0], other[0]) >= (PAGES if widest >= 2 * PAGES else -PAGES)


def _narrowed(one: tuple[timedelta, timedelta], other: tuple[timedelta, timedelta]) -> Length:
    """What both allow, never narrower than people are slow."""
    least, most = max(one[0], other[0]), min(one[1], other[1])
    if most - least < PAGES:
        middle = (least + most) / 2
        least, most = middle - PAGES / 2, middle + PAGES / 2
    return Length(max(least, timedelta()), most)
