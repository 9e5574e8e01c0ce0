"""What is believed of a portal after such lives: a history per row. Day 1 is 2026-01-05; times are on its clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import forecast, memory
from ssowatch.model import Kind, Life, Lineage, Memory, SignIn, Token, TokenMemory

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))


def at(text: str) -> datetime:
    """Like "2 08:30": the second day."""
    day, clock = text.split()
    hours, minutes = map(int, clock.split(":"))
    return datetime(2026, 1, 4, tzinfo=UTC) + timedelta(days=int(day), hours=hours, minutes=minutes)


def lived(day: int, began: str, alive: str, dead: str | None, **more: object) -> Life:
    """A life of one day. `dead`: when a renewal was refused."""
    ends = at(f"{day} {dead}") if dead else None
    inside = at(str(more.pop("inside"))) if "inside" in more else None
    return Life(at(f"{day} {began}"), at(f"{day} {alive}"), ends, inside, **more)  # type: ignore[arg-type]


def day(number: int) -> Life:
    """A life of 8 h, renewed every 30 minutes."""
    return lived(number, "08:00", "15:30", "16:00")


def twelve(number: int) -> Life:
    return lived(number, "08:00", "19:30", "20:00")


def quarter(number: int) -> Life:
    return lived(number, "08:00", "08:07", "08:15")


def short(number: int) -> Life:
    """Three hours, for whatever reason."""
    return lived(number, "08:00", "10:45", "11:00")


def now_at(text: str, began: str = "9 08:00", **more: object) -> tuple[Lineage, datetime]:
    """The present sign-in and the moment at which it is asked about."""
    for key in ("inside", "tail_at", "alive_at"):
        if key in more:
            more[key] = at(str(more[key]))
    return Lineage("client", began_at=at(began), **more), at(text)  # type: ignore[arg-type]


MORNING = now_at("9 08:00")
NINETY = Life(at("1 08:00"), at("91 07:45"), at("91 08:00"))
WEEK = Life(at("1 08:00"), at("8 07:30"), at("8 08:00"))
RENEWED_AT_TEN = Life(at("1 08:00"), at("1 17:30"), at("4 09:00"))
OVERSLEPT = Life(at("1 08:00"), at("1 12:00"), at("2 09:00"))


def half(number: int, dead: str = "08:30") -> Life:
    """Half an hour on a portal whose tokens outlive it: the first renewal, after half an hour, is refused."""
    return lived(number, "08:00", "08:00", dead)


HALVES = [lived(1, "08:00", "08:00", "08:30"), lived(1, "08:30", "08:30", "09:00"), lived(1, "09:00", "09:00", "09:30")]
"""Of one morning."""
AT_LEAST_TEN = lived(1, "08:00", "18:00", None)

ROWS = [
    # id, lives, the present sign-in and now, from, to, source
    ("over at the first look, thrice", tuple(map(half, (1, 2, 3))), MORNING, "9 08:15", "9 08:30", "learned"),
    ("over at the first look after 50 minutes, thrice", tuple(half(one, "08:50") for one in (1, 2, 3)), MORNING, "9 08:15", "9 08:50", "learned"),
    ("after 20 minutes, thrice", tuple(half(one, "08:20") for one in (1, 2, 3)), MORNING, "9 08:10", "9 08:20", "learned"),
    ("after 30, 33 and 31 minutes", (half(1), half(2, "08:33"), half(3, "08:31")), MORNING, "9 08:15", "9 08:33", "learned"),
    ("after 30 and twice 34 minutes", (half(1), half(2, "08:34"), half(3, "08:34")), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("one after the other", tuple(HALVES), MORNING, "9 08:15", "9 08:30", "learned"),
    ("each begun before the last was over", (HALVES[0], lived(1, "08:29", "08:29", "08:59"), lived(1, "08:58", "08:58", "09:28")), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("the first look after three minutes", tuple(lived(one, "08:00", "08:03", "08:30") for one in (1, 2, 3)), MORNING, "9 08:15", "9 08:30", "learned"),
    ("after four", tuple(lived(one, "08:00", "08:04", "08:30") for one in (1, 2, 3)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("one of them began earlier", (half(1), replace(half(2), late=True), half(3)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("one of them began inside another", (half(1), replace(half(2), inside=at("2 07:50")), half(3)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("two hours of eight are narrow enough", (lived(1, "08:00", "14:00", "16:00"),), MORNING, "9 14:00", "9 16:00", "learned"),
    ("a minute more is not", (lived(1, "08:00", "13:59", "16:00"),), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("an hour of two is narrow enough", (lived(1, "08:00", "09:00", "10:00"),), MORNING, "9 09:00", "9 10:00", "learned"),
    ("and a minute more is not", (lived(1, "08:00", "08:59", "10:00"),), MORNING, None, None, None),
    ("wide, but eight hours may be, from below", (lived(1, "08:00", "13:00", "15:57"),), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("wide, and less than eight", (lived(1, "08:00", "13:00", "15:56"),), MORNING, None, None, None),
    ("wide, but eight hours may be, from above", (Life(at("1 08:00"), at("1 16:03"), at("2 07:00")),), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("wide, and more than eight", (Life(at("1 08:00"), at("1 16:04"), at("2 07:00")),), MORNING, None, None, None),
    ("an hour, and then five at least", (lived(1, "08:00", "08:45", "09:00"), lived(2, "08:00", "13:00", None)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("the first day, at its very end", (), now_at("9 16:00"), None, None, None),
    ("what a token told is over this moment", (), now_at("9 16:00", tail_at="9 16:00"), None, None, None),
    ("alive in a future that the clock left", (day(1),), now_at("9 09:00", alive_at="9 18:00", clock_set=True), "9 15:30", "9 16:00", "learned"),
    ("inside, as the one before ends", (day(1),), now_at("9 15:58", "9 12:00", inside="9 08:00"), "9 15:30", "9 16:00", "learned"),
    ("three minutes later nobody knows", (day(1),), now_at("9 16:03", "9 12:00", inside="9 08:00", alive_at="9 16:03"), None, None, None),
    ("and then it is known to be another one", (day(1),), now_at("9 16:04", "9 12:00", inside="9 08:00", alive_at="9 16:04"), "9 19:30", "9 20:00", "learned"),
    ("the doubt is not over three minutes later", (twelve(1), day(3)), now_at("9 16:03"), "9 15:30", "9 20:00", "learned"),
    ("the doubt is over four minutes later", (twelve(1), day(3)), now_at("9 16:04"), "9 19:30", "9 20:00", "learned"),
    ("found over after two shorter ones", (Life(at("1 08:00"), at("1 20:30"), at("4 09:00")), day(2), day(3)), MORNING, None, None, None),
    ("longer than ever, and signed in inside", (AT_LEAST_TEN, lived(2, "12:00", "15:30", "16:00", inside="2 08:00")), MORNING, None, None, None),
    ("longer than ever, and longer yet", (AT_LEAST_TEN, lived(2, "08:00", "19:00", None)), MORNING, None, None, None),
    ("longer than ever, then known", (AT_LEAST_TEN, twelve(2)), MORNING, "9 19:30", "9 20:00", "learned"),
    ("longer than ever, then just as long", (AT_LEAST_TEN, lived(2, "08:00", "17:30", "18:02")), MORNING, None, None, None),
    ("inside, as the portal's twelve hours allow", (twelve(1), lived(2, "17:00", "19:30", "20:00", inside="2 08:00")), MORNING, "9 19:30", "9 20:00", "learned"),
    ("inside, begun as the one before ends", (twelve(1), lived(2, "20:00", "20:00", "20:03", inside="2 08:00")), MORNING, "9 19:58:30", "9 20:01:30", "learned"),
    ("a fresh one that moved nothing of twelve hours", (twelve(1), lived(2, "12:00", "19:30", "20:00", inside="2 08:00", fresh=True)), MORNING, "9 19:30", "9 20:00", "learned"),
    ("the first life: a fresh one that moved nothing", (lived(1, "12:00", "15:30", "16:00", inside="1 08:00", fresh=True),), MORNING, "9 15:30", "9 16:00", "learned"),
    ("the first life: inside, and of twelve hours", (lived(1, "12:00", "19:30", "20:00", inside="1 08:00"),), MORNING, "9 19:30", "9 20:00", "learned"),
    ("inside, and ended with the one before", (day(1), lived(2, "12:00", "15:30", "16:00", inside="2 08:00")), MORNING, "9 15:30", "9 16:00", "learned"),
    ("inside, and alive three minutes after the end of the one before", (day(1), lived(2, "12:00", "16:03", "16:30", inside="2 08:00")), MORNING, "9 16:03", "9 16:30", "learned"),
    ("inside, and alive a minute later", (day(1), lived(2, "12:00", "16:04", "16:30", inside="2 08:00")), MORNING, "9 12:04", "9 16:00", "learned"),
    ("looked at after a third of it", (day(1), lived(2, "08:00", "09:00", "11:00")), MORNING, "9 09:00", "9 16:00", "learned"),
    ("looked at before a third of it", (day(1), lived(2, "08:00", "08:59", "11:00")), MORNING, "9 15:30", "9 16:00", "learned"),
    ("signed out three minutes after eight hours, then one of eight", (lived(1, "08:00", "16:03", None), day(2)), MORNING, "9 15:30", "9 16:00", "learned"),
    ("one of eight, then signed out three minutes later", (day(1), lived(2, "08:00", "16:03", None)), MORNING, "9 16:00", "9 16:00", "learned"),
    ("and four minutes later", (day(1), lived(2, "08:00", "16:04", None)), MORNING, None, None, None),
    ("the second narrows from below", (day(1), lived(2, "08:00", "15:45", "16:15")), MORNING, "9 15:45", "9 16:00", "learned"),
    ("wide bounds that overlap by three minutes agree", (day(1), lived(2, "08:00", "15:57", "16:27")), MORNING, "9 15:57", "9 16:00", "learned"),
    ("wide bounds that touch do not", (day(1), lived(2, "08:00", "16:00", "16:30")), MORNING, "9 16:00", "9 16:30", "learned"),
    ("narrow ones may miss by three minutes", (day(1), lived(2, "08:00", "16:03", "16:05")), MORNING, "9 16:00", "9 16:03", "learned"),
    ("narrow ones that miss by one", (day(1), lived(2, "08:00", "16:01", "16:02")), MORNING, "9 15:59", "9 16:02", "learned"),
    ("wide ones after narrow ones that miss by one", (lived(1, "08:00", "16:01", "16:02"), day(2)), MORNING, "9 15:59", "9 16:02", "learned"),
    ("six minutes are wide", (day(1), lived(2, "08:00", "16:01", "16:07")), MORNING, "9 16:01", "9 16:07", "learned"),
    ("alive after the first moment at which it could end", (day(1),), now_at("9 15:50", alive_at="9 15:50"), "9 15:50", "9 16:00", "learned"),
    ("the first life, and the one before had long run out", (lived(3, "08:00", "15:30", "16:00", inside="1 08:00"),), MORNING, "9 15:30", "9 16:00", "learned"),
    ("at different ages", (half(1), half(2, "08:50"), half(3)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("three that ended together", (half(1), half(1), half(1)), MORNING, "9 16:00", "9 16:00", "assumed"),
    (
        "and then looked at in the middle",
        (*map(half, (1, 2, 3)), lived(4, "08:00", "08:22", "08:52")),
        MORNING,
        "9 08:22",
        "9 08:30",
        "learned",
    ),
    ("and a long one after all", (*map(half, (1, 2, 3)), day(4)), MORNING, "9 15:30", "9 16:00", "learned"),
    ("the admin chose half an hour", (day(1), *map(half, (2, 3, 4, 5))), MORNING, "9 08:15", "9 08:30", "learned"),
    ("three nights", tuple(half(one, "23:00") for one in (1, 2, 3)), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("the first day", (), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("the first day, in the afternoon", (), now_at("9 15:00"), "9 16:00", "9 16:00", "assumed"),
    ("the first day, outlived", (), now_at("9 16:30"), None, None, None),
    ("nobody knows when it began", (), (Lineage("client"), at("9 08:00")), None, None, None),
    ("one life of 8 h", (day(1),), MORNING, "9 15:30", "9 16:00", "learned"),
    ("one life of 12 h", (twelve(1),), MORNING, "9 19:30", "9 20:00", "learned"),
    ("one life of 15 min", (quarter(1),), MORNING, "9 08:07", "9 08:15", "learned"),
    ("one life of 90 days", (NINETY,), now_at("92 08:00", "92 08:00"), "182 07:45", "182 08:00", "learned"),
    ("one life of a week", (WEEK,), MORNING, "16 07:30", "16 08:00", "learned"),
    ("a life of 3 h is all that was seen", (short(1),), MORNING, "9 10:45", "9 11:00", "learned"),
    ("five lives of 8 h", tuple(map(day, range(1, 6))), MORNING, "9 15:30", "9 16:00", "learned"),
    (
        "two lives narrow each other",
        (lived(1, "08:00", "15:40", "16:10"), lived(2, "08:00", "15:30", "15:55")),
        MORNING,
        "9 15:40",
        "9 15:55",
        "learned",
    ),
    (
        "three lives whose renewals fell elsewhere",
        (day(1), lived(2, "08:00", "15:45", "16:15"), lived(3, "08:00", "15:20", "15:52")),
        MORNING,
        "9 15:45",
        "9 15:52",
        "learned",
    ),
    (
        "no narrower than people are slow",
        (lived(1, "08:00", "15:58", "15:59"), lived(2, "08:00", "15:59", "16:00")),
        MORNING,
        "9 15:57:30",
        "9 16:00:30",
        "learned",
    ),
    (
        "slow on the pages one day",
        (lived(1, "08:00", "15:56", "15:58"), lived(2, "08:00", "15:59", "16:00")),
        MORNING,
        "9 15:57",
        "9 16:00",
        "learned",
    ),
    ("the admin made it longer", (day(1), day(2), twelve(3)), MORNING, "9 19:30", "9 20:00", "learned"),
    ("the admin made it longer, today", (day(1),), now_at("9 16:30", alive_at="9 16:30"), None, None, None),
    ("longer than ever, signed out", (day(1), lived(2, "08:00", "18:00", None)), MORNING, None, None, None),
    (
        "the admin made it shorter: first a doubt",
        (twelve(1), twelve(2), day(3)),
        MORNING,
        "9 15:30",
        "9 20:00",
        "learned",
    ),
    ("the doubt is over once it is outlived", (twelve(1), day(3)), now_at("9 16:05"), "9 19:30", "9 20:00", "learned"),
    (
        "the admin made it shorter: two agree",
        (twelve(1), twelve(2), day(3), day(4)),
        MORNING,
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    ("shorter, then longer again", (day(1), short(2), short(3), day(4)), MORNING, "9 15:30", "9 16:00", "learned"),
    ("ended from elsewhere once", (day(1), day(2), short(3)), MORNING, "9 10:45", "9 16:00", "learned"),
    ("ended from elsewhere, then as ever", (day(1), short(2), day(3)), MORNING, "9 15:30", "9 16:00", "learned"),
    (
        "two short ones that do not agree",
        (day(1), short(2), lived(3, "08:00", "08:45", "09:00")),
        MORNING,
        "9 08:45",
        "9 16:00",
        "learned",
    ),
    (
        "ended from elsewhere before anybody looked again",
        (lived(1, "08:00", "08:00", "08:30"), lived(2, "08:00", "08:00", "08:30")),
        MORNING,
        "9 16:00",
        "9 16:00",
        "assumed",
    ),
    ("capped by SAML at 10 h", (lived(1, "08:00", "17:40", "18:00"),), MORNING, "9 17:40", "9 18:00", "learned"),
    (
        "capped by SAML at 5 h 20, after 8 h",
        (day(1), lived(2, "08:00", "13:05", "13:20"), lived(3, "08:00", "13:10", "13:30")),
        MORNING,
        "9 13:10",
        "9 13:20",
        "learned",
    ),
    ("asleep at the end, nothing else known", (OVERSLEPT,), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("asleep at the end, but longer than 8 h", (RENEWED_AT_TEN,), MORNING, None, None, None),
    ("asleep at one end of several", (day(1), OVERSLEPT, day(3)), MORNING, "9 15:30", "9 16:00", "learned"),
    (
        "asleep at the end narrows from below",
        (day(1), Life(at("2 08:00"), at("2 15:50"), at("3 09:00"))),
        MORNING,
        "9 15:50",
        "9 16:00",
        "learned",
    ),
    ("an outage over the end", (lived(1, "08:00", "15:00", "16:30"),), MORNING, "9 15:00", "9 16:30", "learned"),
    ("signed out early", (day(1), lived(2, "08:00", "09:00", None)), MORNING, "9 15:30", "9 16:00", "learned"),
    ("signed out early, nothing else", (lived(1, "08:00", "09:00", None),), MORNING, "9 16:00", "9 16:00", "assumed"),
    ("signed out after 10 h, nothing else", (lived(1, "08:00", "18:00", None),), MORNING, None, None, None),
    (
        "it began before it was seen, and says no more than at least",
        (lived(1, "13:00", "16:30", "17:00", late=True),),
        MORNING,
        "9 16:00",
        "9 16:00",
        "assumed",
    ),
    (
        "this one began before it was seen",
        (day(1),),
        now_at("9 08:00", late=True),
        "9 16:00",
        "9 16:00",
        "assumed",
    ),
    (
        "signed in again inside, on the first day",
        (),
        now_at("9 12:00", "9 12:00", inside="9 08:00"),
        "9 16:00",
        "9 16:00",
        "assumed",
    ),
    (
        "signed in again inside",
        (day(1),),
        now_at("9 12:00", "9 12:00", inside="9 08:00"),
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    (
        "a life with a sign-in inside counts from the first",
        (lived(1, "12:00", "15:30", "16:00", inside="1 08:00"),),
        MORNING,
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    (
        "signed in by another browser: the end did move",
        (day(1),),
        now_at("9 16:10", "9 12:00", inside="9 08:00", alive_at="9 16:10"),
        "9 19:30",
        "9 20:00",
        "learned",
    ),
    (
        "the one before had long run out when nobody looked",
        (day(1),),
        now_at("9 08:00", "9 08:00", inside="7 08:00"),
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    (
        "a fresh one has its full length",
        (day(1),),
        now_at("9 12:00", "9 12:00", inside="9 08:00", fresh=True),
        "9 19:30",
        "9 20:00",
        "learned",
    ),
    (
        "a fresh one on a portal whose own session goes on",
        (day(1), lived(2, "12:00", "15:30", "16:00", inside="2 08:00", fresh=True)),
        now_at("9 12:00", "9 12:00", inside="9 08:00", fresh=True),
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    (
        "a fresh one that moved says so for the next",
        (day(1), lived(2, "12:00", "19:30", "20:00", inside="2 08:00", fresh=True)),
        now_at("9 12:00", "9 12:00", inside="9 08:00", fresh=True),
        "9 19:30",
        "9 20:00",
        "learned",
    ),
    (
        "a token of 25 minutes tells the end",
        (),
        now_at("9 15:35", tail_at="9 16:00"),
        "9 16:00",
        "9 16:00",
        "learned",
    ),
    ("what a token told is over", (), now_at("9 16:01", tail_at="9 16:00"), None, None, None),
    (
        "the token tells against what was learned",
        (twelve(1), twelve(2)),
        now_at("9 15:35", tail_at="9 16:00"),
        "9 16:00",
        "9 16:00",
        "learned",
    ),
    ("a clock that was set during it", (day(1),), now_at("9 08:00", clock_set=True), "9 15:30", "9 16:00", "learned"),
    (
        "the clock went back over a life",
        (day(1), lived(2, "08:00", "09:00", "07:00")),
        MORNING,
        "9 15:30",
        "9 16:00",
        "learned",
    ),
    (
        "two machines: this one joined what began on the other",
        (day(1), day(2), lived(3, "10:00", "15:40", "16:00")),
        MORNING,
        "9 13:40",
        "9 16:00",
        "learned",
    ),
    (
        "two machines: every day another hour, so nothing agrees",
        (
            day(1),
            lived(2, "10:00", "15:40", "16:00"),
            lived(3, "12:00", "15:40", "16:00"),
            lived(4, "14:00", "15:40", "16:00"),
        ),
        MORNING,
        "9 09:40",
        "9 16:00",
        "learned",
    ),
]  # fmt: skip


def shown(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    days = (moment - datetime(2026, 1, 4, tzinfo=UTC)).days
    return f"{days} {moment:%H:%M}" + (f":{moment:%S}" if moment.second else "")


@pytest.mark.parametrize(
    ("lives", "present", "earliest", "latest", "source"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_is_believed(lives, present, earliest, latest, source):
    lineage, now = present
    end = forecast.end(lineage, lives, None, now)
    found = (shown(end.earliest), shown(end.latest), end.source) if end else (None, None, None)
    assert found == (earliest, latest, source)
    assert end is None or end.told is (lineage.tail_at is not None)


def test_there_are_enough_rows():
    assert len(ROWS) >= 40


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("lives", [(), (day(1),), (twelve(1), twelve(2))], ids=["none", "8 h", "12 h"])
def test_what_the_user_configured_comes_first(lives, late):
    lineage, now = now_at("9 08:00", late=late)
    end = forecast.end(lineage, lives, 10 * HOUR, now)
    assert end == forecast.End(at("9 18:00"), at("9 18:00"), "configured")


def test_the_order_in_which_sign_ins_tell_does_not_matter():
    lives = [day(1), short(2), twelve(3), twelve(4), lived(5, "08:00", "09:00", None)]
    assert len({str(forecast.length(random.Random(seed).sample(lives, len(lives)))) for seed in range(20)}) == 1


# 1,000 random lives

LENGTHS = (8 * HOUR, 8 * HOUR, 8 * HOUR, 12 * HOUR, 10 * HOUR, 4 * HOUR, HOUR, DAY, 7 * DAY)


@dataclass
class Portal:
    """A person, a machine, a portal; sign-in after sign-in."""

    rng: random.Random
    now: datetime = field(default_factory=lambda: at("1 08:00"))
    known: Memory = field(default_factory=Memory)
    number: int = 0
    stated: int = 0
    right: int = 0
    narrow: int = 0
    assumed: int = 0

    def __post_init__(self) -> None:
        self.tail = self.rng.random() < 0.3
        self.choose()

    def choose(self) -> None:
        """The admin's choice: mostly a round one."""
        odd = self.rng.randrange(20, 16 * 60) * MINUTE
        self.length = self.rng.choice(LENGTHS) if self.rng.random() < 0.8 else odd

    def sign_in(self, ends_at: datetime) -> None:
        life = self.life(ends_at)
        self.known = memory.signed_in(self.known, CORP, self.token(life), life, self.now, timedelta(), None)

    def renew(self, ends_at: datetime) -> None:
        life = self.life(ends_at)
        self.known = memory.renewed(self.known, CORP, self.token(life), life, self.now, timedelta())

    def life(self, ends_at: datetime) -> timedelta:
        return min(HOUR, ends_at - self.now) if self.tail else HOUR

    def token(self, life: timedelta) -> Token:
        self.number += 1
        return Token(f"{self.number:016x}", "client", self.now + life, refreshable=True)

    def live(self) -> None:
        """One life, from the password to what ended it."""
        rng = self.rng
        if rng.random() < 0.02:
            self.choose()
        ends_at = self.now + self.length
        self.now += rng.uniform(5, 120) * timedelta(seconds=1)  # the pages
        self.sign_in(ends_at)
        truly, by_hand = ends_at, False
        match rng.random():
            case chance if chance < 0.02:  # an admin, or the portal's page in the browser
                truly = self.now + rng.random() * (ends_at - self.now)
            case chance if chance < 0.09:
                truly, by_hand = self.now + rng.random() * (ends_at - self.now), True
        asleep_from = ends_at - rng.uniform(0, 8) * HOUR if rng.random() < 0.15 else None
        said: forecast.End | None = None
        while True:
            token = self.known.token
            step = min(HOUR, token.life or HOUR) / 2 + rng.uniform(0, 20) * timedelta(seconds=1)
            if asleep_from and self.now + step > asleep_from:
                step, asleep_from = max(ends_at - self.now, timedelta()) + rng.uniform(0, 60) * HOUR, None
            before = forecast.end(self.known.lineage, self.known.lives, None, self.now)
            if self.now <= truly - 15 * MINUTE:
                said = before
            if self.now + step >= truly:
                break
            self.now += step
            self.renew(ends_at)
        self.now = truly if by_hand else self.now + step
        if by_hand:
            self.known = memory.observed(self.known, CORP, None, self.now)
        else:
            self.known = memory.refused(self.known, "ended", "invalid_grant", self.now, alive=False, skew=timedelta())
            self.count(said, truly)
        self.now += rng.uniform(0, 14) * HOUR

    def count(self, said: forecast.End | None, truly: datetime) -> None:
        if said and said.source == "learned":
            self.stated += 1
            self.right += said.earliest <= truly <= said.latest
            self.narrow += said.latest - said.earliest <= 31 * MINUTE
        else:
            self.assumed += 1


@pytest.mark.real  # slow
def test_the_true_end_lies_within_what_is_stated():
    portals = [Portal(random.Random(seed)) for seed in range(50)]
    for portal in portals:
        for _ in range(24):
            portal.live()
    stated, right = sum(one.stated for one in portals), sum(one.right for one in portals)
    assert stated >= 950, "statements were made at all"
    assert right >= 0.95 * stated, f"{right} of {stated}"
    assert sum(one.narrow for one in portals) >= 0.8 * stated, "and they said something"
    assert all(len(one.known.lives) <= forecast.KEPT for one in portals)


CHECKS = [
    # id, lineage, lives, others, configured, at
    ("nobody saw it begin", Lineage("client"), (day(1),), (), None, None),
    ("it began before it was seen", Lineage("client", began_at=at("9 08:00"), late=True), (day(1),), (), None, None),
    ("narrow bounds: right after", MORNING[0], (), (), None, "9 16:00:05"),
    ("ten minutes are narrow", MORNING[0], (lived(1, "08:00", "15:50", "16:00"),), (), None, "9 16:00:05"),
    ("eleven are not", MORNING[0], (lived(1, "08:00", "15:49", "16:00"),), (), None, "9 15:54:30"),
    ("another one ended as this began", MORNING[0], (day(1),), (lived(9, "06:00", "07:30", "08:00"),), None, "9 15:45"),
    ("another one was signed out", MORNING[0], (day(1),), (lived(9, "07:00", "11:30", None),), None, "9 15:45"),
    ("another one ended as this was renewed", now_at("9 13:00", alive_at="9 12:00")[0], (day(1),), (lived(9, "07:00", "11:30", "12:00"),), None, None),
    ("two others ended", MORNING[0], (day(1),), (lived(9, "07:00", "11:30", "12:00"), lived(9, "07:00", "10:30", "11:00")), None, "9 11:00"),
    ("two others ended, and it was asked in between", now_at("9 13:00", alive_at="9 11:30")[0], (day(1),), (lived(9, "07:00", "11:30", "12:00"), lived(9, "07:00", "10:30", "11:00")), None, None),
    ("another one ended", MORNING[0], (day(1),), (lived(9, "07:00", "11:30", "12:00"),), None, "9 12:00"),
    ("another one ended, and this lived on", now_at("9 13:00", alive_at="9 12:30")[0], (day(1),), (lived(9, "07:00", "11:30", "12:00"),), None, None),
    ("another one ended before", MORNING[0], (day(1),), (lived(8, "07:00", "11:30", "12:00"),), None, "9 15:45"),
    ("it lasts longer than was assumed", MORNING[0], (Life(at("1 08:00"), at("1 20:00"), None),), (), None, None),
    ("wide bounds: in the middle", MORNING[0], (day(1),), (), None, "9 15:45"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lineage", "lives", "others", "configured", "when"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS]
)
def test_when_one_renewal_more_tells_most(lineage, lives, others, configured, when):
    found = forecast.check_at(lineage, lives, others, configured)
    assert shown(found) == when


BEGAN = Lineage("client", began_at=at("9 08:00"), alive_at=at("9 09:00"))
PRESENT = Life(at("9 08:00"), at("9 09:00"), None)
TELLS = [
    # id, memory, what it tells the others
    ("lives", Memory(lineage=BEGAN, lives=(day(1),)), (day(1), PRESENT)),
    ("is over", Memory(TokenMemory(refused="x"), BEGAN, (day(1),)), (day(1),)),
    ("has ended", Memory(lineage=replace(BEGAN, ended_at=at("9 10:00")), lives=(day(1),)), (day(1),)),
    ("is signed out", Memory(lineage=replace(BEGAN, signed_out_at=at("9 10:00"))), ()),
    ("the clock was set", Memory(lineage=replace(BEGAN, clock_set=True)), ()),
    ("nobody saw it begin", Memory(lives=(day(1),)), (day(1),)),
]


@pytest.mark.parametrize(("known", "lives"), [row[1:] for row in TELLS], ids=[row[0] for row in TELLS])
def test_what_a_sign_in_tells_the_others(known, lives):
    assert forecast.told(known) == lives


LEFT = [
    # id, lineage, when it was refused, the life that it leaves
    ("refused", BEGAN, at("9 09:30"), Life(at("9 08:00"), at("9 09:00"), at("9 09:30"))),
    ("refused, and the clock had gone back", BEGAN, at("9 08:30"), Life(at("9 08:00"), at("9 08:30"), at("9 08:30"))),
    ("never renewed", replace(BEGAN, alive_at=None), at("9 09:30"), Life(at("9 08:00"), at("9 08:00"), at("9 09:30"))),
    ("told by a token", replace(BEGAN, tail_at=at("9 09:10")), at("9 09:30"), Life(at("9 08:00"), at("9 09:10"), at("9 09:10"))),
    ("it lives, and a token told", replace(BEGAN, tail_at=at("9 09:10")), None, Life(at("9 08:00"), at("9 09:10"), at("9 09:10"))),
    ("what it was", replace(BEGAN, inside=at("9 07:00"), fresh=True, late=True), None, replace(PRESENT, inside=at("9 07:00"), fresh=True, late=True)),
]  # fmt: skip


@pytest.mark.parametrize(("lineage", "dead_at", "left"), [row[1:] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_a_sign_in_leaves(lineage, dead_at, left):
    assert forecast.life(lineage, dead_at) == left


AT_LEAST_FIVE = (lived(1, "08:00", "08:45", "09:00"), lived(2, "08:00", "13:00", None))
WORTH = [
    # id, lives that are kept, one more, whether it is worth keeping
    ("refused", (), short(3), True),
    ("refused as it began", (), lived(3, "08:00", "08:00", "08:00"), True),
    ("refused before it began: the clock went back", (), lived(3, "08:00", "08:00", "07:59"), False),
    ("signed out when it was as old as others get", (), lived(3, "08:00", "16:03", None), False),
    ("signed out when it was older", (), lived(3, "08:00", "16:04", None), True),
    ("of twelve hours, signed out", (twelve(1),), lived(3, "08:00", "20:03", None), False),
    ("of more than twelve hours, signed out", (twelve(1),), lived(3, "08:00", "20:04", None), True),
    ("ten hours were seen before", (AT_LEAST_TEN,), lived(3, "08:00", "18:03", None), False),
    ("more than ten hours were not", (AT_LEAST_TEN,), lived(3, "08:00", "18:04", None), True),
    ("eight hours are assumed where five were seen", AT_LEAST_FIVE, lived(3, "08:00", "16:03", None), False),
    ("more than eight were neither seen nor assumed", AT_LEAST_FIVE, lived(3, "08:00", "16:04", None), True),
]  # fmt: skip


@pytest.mark.parametrize(("lives", "one", "worth"), [row[1:] for row in WORTH], ids=[row[0] for row in WORTH])
def test_which_lives_are_kept(lives, one, worth):
    assert forecast.tells(lives, one) is worth


def test_the_sign_ins_of_one_portal_tell_each_other():
    lab = replace(CORP, name="lab", start_url=f"{CORP.start_url}/#/")
    other = replace(CORP, name="other", start_url="https://d-9.awsapps.com/start")
    known = [(CORP, Memory(lives=(day(1),))), (lab, Memory(lives=(day(2),))), (other, Memory(lives=(day(3),)))]
    assert forecast.by_portal(known) == {
        CORP.start_url: [("corp", day(1)), ("lab", day(2))],
        other.start_url: [("other", day(3))],
    }


def test_since_when_the_clock_of_a_sign_in_runs():
    inside = replace(BEGAN, inside=at("9 07:00"))
    assert [forecast.since(one) for one in (BEGAN, inside, replace(inside, fresh=True), Lineage("client"))] == [
        at("9 08:00"), at("9 07:00"), at("9 08:00"), None
    ]  # fmt: skip


SIX = [Life(at(f"{number} 08:00"), at(f"{number} 13:30"), at(f"{number} 14:00")) for number in (1, 2)]
"""A portal of six hours, seen twice."""


def fresh(alive: str, dead: str | None) -> Life:
    """Begun at noon in place of one that ran since 08:00."""
    return Life(at("9 12:00"), at(alive), at(dead) if dead else None, inside=at("9 08:00"), fresh=True)


HELPS = [
    # id, lives, configured, lasts from noon to
    ("nothing is known", [], None, "9 20:00"),
    ("it was never tried", SIX, None, "9 17:30"),
    ("it was, and lasted", [*SIX, fresh("9 17:30", "9 18:00")], None, "9 17:30"),
    ("it ended with the one before", [*SIX, fresh("9 13:30", "9 14:00")], None, None),
    ("it did, and later it did not", [*SIX, fresh("9 13:30", "9 14:00"), replace(fresh("9 17:30", "9 18:00"), began_at=at("9 12:01"))], None, "9 17:30"),
    ("it was not ended first", [*SIX, replace(fresh("9 13:30", "9 14:00"), fresh=False)], None, "9 17:30"),
    ("it was signed out early", [*SIX, fresh("9 13:30", None)], None, "9 17:30"),
    ("configured", [fresh("9 13:30", "9 14:00")], 6 * HOUR, None),
    ("configured, never tried", [], 10 * HOUR, "9 22:00"),
    ("configured: over before the one before could be", [fresh("9 13:40", "9 13:57")], 6 * HOUR, "9 18:00"),
    ("configured: over as that", [fresh("9 13:40", "9 13:58")], 6 * HOUR, None),
    ("configured: alive as that ended", [fresh("9 14:03", "9 14:10")], 6 * HOUR, None),
    ("configured: alive after that", [fresh("9 14:04", "9 14:10")], 6 * HOUR, "9 18:00"),
    ("configured: over as a fresh one is", [fresh("9 14:00", "9 17:57")], 6 * HOUR, "9 18:00"),
    ("configured: over before that", [fresh("9 14:00", "9 17:56")], 6 * HOUR, None),
    ("configured: the next says nothing new", [fresh("9 13:40", "9 13:58"), fresh("9 14:03", None)], 6 * HOUR, None),
    ("configured: the next lives on", [fresh("9 13:40", "9 13:58"), fresh("9 14:04", None)], 6 * HOUR, "9 18:00"),
    ("configured: nobody saw the one before begin", [replace(fresh("9 17:30", "9 18:00"), inside=None)], 6 * HOUR, "9 18:00"),
    ("configured: the next was not ended first", [fresh("9 13:40", "9 13:58"), replace(fresh("9 14:04", None), fresh=False)], 6 * HOUR, None),
    ("it lasts longer than was assumed", [Life(at("1 08:00"), at("1 20:00"), None)], None, None),
]  # fmt: skip


@pytest.mark.parametrize(("lives", "configured", "until"), [row[1:] for row in HELPS], ids=[row[0] for row in HELPS])
def test_whether_a_fresh_sign_in_moves_the_end(lives, configured, until):
    assert forecast.fresh_until(lives, configured, at("9 12:00")) == (at(until) if until else None)


def test_a_fresh_sign_in_that_ended_as_the_one_before_is_known_for_it():
    last = fresh("9 13:30", "9 14:00")
    known = Memory(lineage=Lineage("client", began_at=last.began_at), lives=(*SIX, last))
    assert forecast.ended_as_before(known, None)
    assert not forecast.ended_as_before(replace(known, lineage=Lineage("client", began_at=at("9 12:01"))), None)
    assert not forecast.ended_as_before(replace(known, lives=(*SIX, replace(last, fresh=False))), None)
    assert not forecast.ended_as_before(Memory(lineage=known.lineage), None)
    assert not forecast.ended_as_before(replace(known, lives=(*SIX, replace(last, inside=None))), None)
    assert forecast.ended_as_before(replace(known, lives=(*SIX, fresh("9 14:03", "9 14:10"))), None)
    assert not forecast.ended_as_before(replace(known, lives=(*SIX, fresh("9 14:04", "9 14:10"))), None)
    assert forecast.ended_as_before(replace(known, lives=(SIX[0], last)), None)
    longer = Life(at("1 08:00"), at("1 20:00"), None)
    assert not forecast.ended_as_before(replace(known, lives=(longer, last)), None)


def test_a_configured_length_counts_from_where_a_fresh_sign_in_was_seen_to_run():
    before = lived(8, "12:00", "13:30", "14:00", inside="8 08:00", fresh=True)
    lineage, now = now_at("9 12:00", "9 12:00", inside="9 08:00", fresh=True)
    assert forecast.end(lineage, (before,), 6 * HOUR, now) == forecast.End(at("9 14:00"), at("9 14:00"), "configured")
    assert forecast.end(lineage, (), 6 * HOUR, now) == forecast.End(at("9 18:00"), at("9 18:00"), "configured")
