"""When a fresh sign-in is offered: a story per row. Day 2 is 2026-01-06, a Tuesday; it begins at five. Times are UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import offers, planner, schedule
from ssowatch.model import (
    Button,
    Cause,
    Day,
    Kind,
    Life,
    Lineage,
    Memory,
    Mode,
    Notice,
    Plan,
    Policy,
    Presence,
    Renew,
    SignIn,
    State,
    Surroundings,
    Token,
    TokenFile,
    TokenMemory,
)

CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))
HOUR = timedelta(hours=1)
BUTTONS = (Button.FRESH, Button.WHEN_IT_ENDS)


def at(text: str) -> datetime:
    day, clock = text.split()
    hours, minutes = map(int, clock.split(":"))
    return datetime(2026, 1, 4, tzinfo=UTC) + timedelta(days=int(day), hours=hours, minutes=minutes)


def of_length(hours: float, **more: object) -> Life:
    began = at("1 08:00") - 30 * 24 * HOUR
    return Life(began, began + hours * HOUR, began + hours * HOUR, **more)  # type: ignore[arg-type]


UNMOVED = replace(of_length(2), inside=at("1 08:00") - 30 * 24 * HOUR - 6 * HOUR, fresh=True)
DAY = Day(at("2 05:00"), at("3 05:00"), at("3 07:00"))
FRESH = replace(DAY, fresh_at=at("2 08:55"))
EVENING = replace(DAY, evening_at=at("2 18:00"))
AUTO, SILENT = Policy(mode=Mode.AUTO), Policy(mode=Mode.SILENT)
HERE, AWAY = Presence.PRESENT, Presence.LOCKED

ROWS = [
    # id, now, the sign-in's begin, its portal's lives, day, presence, policy, offered before, what happens
    ("back in the morning", "2 08:30", "1 10:00", (of_length(24),), DAY, HERE, Policy(), None, "offered"),
    ("in auto, too", "2 08:30", "1 10:00", (of_length(24),), DAY, HERE, AUTO, None, "offered"),
    ("not in silent", "2 08:30", "1 10:00", (of_length(24),), DAY, HERE, SILENT, None, "nothing"),
    ("the screen is locked", "2 08:30", "1 10:00", (of_length(24),), DAY, AWAY, Policy(), None, "waits"),
    ("nobody was asked yet", "2 08:30", "1 10:00", (of_length(24),), DAY, None, Policy(), None, "waits"),
    ("nobody can be seen", "2 08:30", "1 10:00", (of_length(24),), DAY, Presence.UNKNOWN, Policy(), None, "nothing"),
    ("before five", "2 04:30", "1 10:00", (of_length(24),), replace(DAY, began_at=at("1 05:00")), HERE, Policy(), None, "nothing"),
    ("already today", "2 09:30", "1 10:00", (of_length(24),), DAY, HERE, Policy(), "2 08:30", "stands"),
    ("it stood for two hours", "2 10:30", "1 11:00", (of_length(24),), DAY, HERE, Policy(), "2 08:30", "nothing"),
    ("yesterday's offer", "2 08:30", "1 10:00", (of_length(24),), DAY, HERE, Policy(), "1 08:30", "offered"),
    ("it lasts till the evening", "2 08:30", "1 20:00", (of_length(24),), DAY, HERE, Policy(), None, "nothing"),
    ("it lasts for days", "2 08:30", "1 10:00", (of_length(168),), DAY, HERE, Policy(), None, "nothing"),
    ("the last day of a week", "8 08:30", "1 12:00", (of_length(168),), replace(DAY, began_at=at("8 05:00")), HERE, Policy(), None, "offered"),
    ("begun this morning", "2 08:30", "2 06:30", (of_length(8),), DAY, HERE, Policy(), None, "nothing"),
    ("begun this morning, and it is five to nine", "2 08:55", "2 06:30", (of_length(8),), FRESH, HERE, Policy(), None, "offered"),
    ("five to nine is over since two hours", "2 11:00", "2 06:30", (of_length(8),), FRESH, HERE, Policy(), None, "nothing"),
    ("not five to nine yet", "2 08:50", "2 06:30", (of_length(8),), FRESH, HERE, Policy(), None, "nothing"),
    ("five to nine, nobody can be seen", "2 08:55", "2 06:30", (of_length(8),), FRESH, Presence.UNKNOWN, Policy(), None, "offered"),
    ("five to nine, begun at eight", "2 08:55", "2 08:10", (of_length(8),), FRESH, HERE, Policy(), None, "nothing"),
    ("nothing was learned yet", "2 08:55", "2 06:30", (), FRESH, HERE, Policy(), None, "offered"),
    ("it has outlived what was believed", "2 08:55", "1 20:00", (), FRESH, HERE, Policy(), None, "nothing"),
    ("a fresh one does not move the end here", "2 08:55", "2 06:30", (of_length(8), UNMOVED), FRESH, HERE, Policy(), None, "nothing"),
    ("the evening, and a fresh one lasts", "2 18:00", "2 09:00", (of_length(15),), EVENING, HERE, Policy(), None, "offered"),
    ("the evening, and a fresh one does not last", "2 18:00", "2 14:00", (of_length(8),), EVENING, HERE, Policy(), None, "nothing"),
    ("the evening, and this one lasts", "2 18:00", "2 09:00", (of_length(24),), EVENING, HERE, Policy(), None, "nothing"),
    ("nobody renews it", "2 08:30", "1 10:00", (of_length(24),), DAY, HERE, Policy(renew=Renew.NEVER), None, "nothing"),
    ("its end is near", "2 09:50", "1 10:00", (of_length(24),), DAY, HERE, Policy(), None, "ending"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "began", "lives", "day", "presence", "policy", "offered", "happens"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_when_it_is_offered(now, began, lives, day, presence, policy, offered, happens):
    lineage = Lineage("client", at(began), HOUR, offered_at=at(offered) if offered else None, used_at=at(now))
    known = Memory(TokenMemory(f"{'0' * 16}@us-east-1", HOUR, at(now)), lineage, lives)
    token = Token("0" * 16, "client", at(now) + HOUR, refreshable=True)
    around = Surroundings(presence, day=day)
    plan = planner.plan(CORP, TokenFile(token), known, policy, around, at(now))
    expected = {
        "offered": ((Notice(Cause.OFFER, BUTTONS),), Cause.OFFER, False),
        "waits": ((), Cause.OFFER, True),
        "stands": ((), Cause.OFFER, False),
        "nothing": ((), Cause.OFFER if policy.mode is Mode.SILENT else None, False),
        "ending": ((Notice(Cause.ENDING, BUTTONS),), Cause.ENDING, False),
    }[happens]
    assert (plan.actions, plan.cause, plan.waits) == expected
    assert plan.memory.lineage.offered_at == (at(now) if happens == "offered" else lineage.offered_at)
    again = planner.plan(CORP, TokenFile(token), plan.memory, policy, around, at(now))
    assert again.actions == ()


COMPARED = [
    # id, ends from, source, a fresh one lasts to, what is said of 07:00 tomorrow
    ("not enough", "3 02:10", "learned", "3 02:04", "ends Wed 02:10; a fresh sign-in now would last to Wed 02:04 on this portal: not enough"),
    ("enough", "3 02:10", "learned", "3 08:04", "ends Wed 02:10; a fresh sign-in now lasts to Wed 08:04: LOGIN --fresh"),
    ("enough, as assumed", "3 02:10", "assumed", "3 08:04", "may end Wed 02:10; a fresh sign-in now may last to Wed 08:04: LOGIN --fresh"),
    ("just enough", "3 02:10", "learned", "3 07:00", "ends Wed 02:10; a fresh sign-in now lasts to Wed 07:00: LOGIN --fresh"),
    ("it does not move", "3 02:10", "learned", None, "ends Wed 02:10; a fresh sign-in does not move that on this portal"),
    ("nothing is known", None, None, None, "when it ends is not known, nor how long a sign-in lasts on this portal"),
    ("nobody saw it begin", None, None, "3 08:04", "when it ends is not known; a fresh sign-in now lasts to Wed 08:04: LOGIN --fresh"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ends_from", "source", "fresh", "words"), [row[1:] for row in COMPARED], ids=[row[0] for row in COMPARED]
)
def test_what_is_said_to_who_needs_it_until_the_morning(ends_from, source, fresh, words, monkeypatch):
    plan = Plan(
        State.VALID,
        Memory(),
        renews_silently=True,
        good_until=at("2 18:30"),
        ends_from=at(ends_from) if ends_from else None,
        ends_at_source=source,
        fresh_until=at(fresh) if fresh else None,
    )
    monkeypatch.setattr(offers, "shown", lambda moment, _: f"{moment:%a %H:%M}")  # the zone of the machine
    assert offers.compared(plan, at("3 07:00"), at("2 18:00"), "LOGIN") == words


def test_what_is_said_of_a_token_that_nobody_renews(monkeypatch):
    monkeypatch.setattr(offers, "shown", lambda moment, _: f"{moment:%a %H:%M}")
    plan = Plan(State.VALID, Memory(), good_until=at("2 18:30"), ends_at_source="learned")
    said = offers.compared(plan, at("3 07:00"), at("2 18:00"), "LOGIN")
    assert said == "ends Tue 18:30; sign in: LOGIN"
    over = offers.compared(replace(plan, good_until=None), at("3 07:00"), at("2 18:00"), "LOGIN")
    assert over.startswith("it does not work now")


# The person's day


def day(fresh, evening, now, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        return schedule.day(fresh, evening, at(now))
    finally:
        monkeypatch.undo()
        time.tzset()


DAYS = [
    # id, fresh, evening, now, begins, fresh at, evening at, night until, next at
    ("no schedule", None, None, "2 09:00", "2 05:00", None, None, "3 07:00", "3 05:00"),
    ("after midnight", None, None, "3 02:00", "2 05:00", None, None, "3 07:00", "3 05:00"),
    ("before", "55 8 * * mon-fri", None, "2 08:00", "2 05:00", "2 08:55", None, "2 08:55", "2 08:55"),
    ("after", "55 8 * * mon-fri", None, "2 09:00", "2 05:00", "2 08:55", None, "3 08:55", "3 05:00"),
    ("friday evening", "55 8 * * mon-fri", "0 18 * * *", "5 18:00", "5 05:00", "5 08:55", "5 18:00", "8 08:55", "6 05:00"),
    ("weekdays by number", "55 8 * * 1-5", None, "5 09:00", "5 05:00", "5 08:55", None, "8 08:55", "6 05:00"),
    ("sunday is 0 and 7", "0 9 * * 0", "0 18 * * 7", "7 08:00", "7 05:00", "7 09:00", "7 18:00", "7 09:00", "7 09:00"),
    ("steps begin on sunday", "0 9 * * */2", None, "2 08:00", "2 05:00", "2 09:00", None, "2 09:00", "2 09:00"),
    ("a week that begins on sunday", "0 9 * * SUN-Thu", "0 18 * * 0-4", "4 19:00", "4 05:00", "4 09:00", "4 18:00", "7 09:00", "5 05:00"),
    ("a part of a week, in steps", "0 9 * * 1-5/2,6", None, "3 10:00", "3 05:00", "3 09:00", None, "5 09:00", "4 05:00"),
    ("to sunday as the last", "0 9 * * sat-sun", "0 18 * * 6-7", "6 19:00", "6 05:00", "6 09:00", "6 18:00", "7 09:00", "7 05:00"),
    ("never", "0 9 31 2 *", None, "2 08:00", "2 05:00", None, None, "3 07:00", "3 05:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fresh", "evening", "now", "begins", "fresh_at", "evening_at", "night", "changes"),
    [row[1:] for row in DAYS],
    ids=[row[0] for row in DAYS],
)
def test_a_day(fresh, evening, now, begins, fresh_at, evening_at, night, changes, monkeypatch):
    found = day(fresh, evening, now, monkeypatch)
    moments = [at(each) if each else None for each in (fresh_at, evening_at)]
    assert found == Day(at(begins), at(changes), at(night), *moments)


@pytest.mark.parametrize(
    "line",
    [
        "99 8 * * *",
        "0 8 * * sat-mon",
        "0 8 * * 8",
        "0 8 * * 1-",
        "0 8 * * 1-5/0",
        "0 8 * * 1-5/x",
        "0 8 32 1 *",
        "0 8 * foo *",
    ],
)
def test_a_line_that_is_none(line):
    with pytest.raises(ValueError, match=r"."):
        schedule.check(line)


# At the very moments

MORNING = at("2 09:00")


def offered(
    ends: datetime, fresh: datetime | None, day: Day | None = DAY, now: datetime = MORNING, **lineage: object
) -> bool:
    known = Memory(lineage=replace(Lineage("client", at("1 10:00")), **lineage))  # type: ignore[arg-type]
    plan = Plan(State.VALID, known, ends_from=ends, fresh_until=fresh)
    return offers.due(plan, Surroundings(HERE, day=day), now)


EDGES = [
    # what, the sign-in ends, a fresh one ends, the day, now, what is remembered, is it offered
    ("work ends with it", "2 19:00", "3 09:00", DAY, "2 09:00", {}, False),
    ("work ends a minute after it", "2 18:59", "3 09:00", DAY, "2 09:00", {}, True),
    ("a quarter of an hour is gained", "2 10:45", "2 11:00", DAY, "2 09:00", {}, True),
    ("a minute less", "2 10:46", "2 11:00", DAY, "2 09:00", {}, False),
    ("an eighth of a day is gained", "2 16:00", "2 17:00", DAY, "2 09:00", {}, True),
    ("a minute less of a day", "2 16:01", "2 17:00", DAY, "2 09:00", {}, False),
    ("the night begins as it ends", "3 07:00", "3 09:00", EVENING, "2 18:00", {}, False),
    ("the night ends as a fresh one does", "3 06:59", "3 07:00", EVENING, "2 18:00", {}, True),
    ("offered as the day began", "2 14:00", "3 09:00", DAY, "2 09:00", {"offered_at": at("2 05:00")}, False),
    ("offered a minute before", "2 14:00", "3 09:00", DAY, "2 09:00", {"offered_at": at("2 04:59")}, True),
    ("nobody saw it begin", "2 14:00", "3 09:00", DAY, "2 09:00", {"began_at": None}, False),
    ("it began with the day", "2 14:00", "3 09:00", DAY, "2 09:00", {"began_at": at("2 05:00")}, False),
    ("it began a minute before", "2 14:00", "3 09:00", DAY, "2 09:00", {"began_at": at("2 04:59")}, True),
    ("its person came yesterday", "2 14:00", "3 09:00", DAY, "2 09:00", {"came_at": at("1 09:00")}, True),
    ("its person came as the day began, four hours ago", "2 14:00", "3 09:00", DAY, "2 09:00", {"came_at": at("2 05:00")}, False),
    ("its person came an hour ago", "2 14:00", "3 09:00", DAY, "2 09:00", {"came_at": at("2 08:00")}, False),
    ("its person came 59 minutes ago", "2 14:00", "3 09:00", DAY, "2 09:00", {"came_at": at("2 08:01")}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "fresh", "day", "now", "known", "expected"), [row[1:] for row in EDGES], ids=[row[0] for row in EDGES]
)
def test_at_the_very_moment(ends, fresh, day, now, known, expected):
    assert offered(at(ends), at(fresh), day, at(now), **known) is expected


def test_nothing_is_offered_without_a_day_or_an_end():
    assert offered(at("2 14:00"), at("3 09:00")) is True
    assert offered(at("2 14:00"), None) is False
    assert offered(at("2 14:00"), at("3 09:00"), None) is False


@pytest.mark.parametrize(
    ("presence", "day", "came_at", "first"),
    [
        (HERE, DAY, None, True),
        (AWAY, DAY, None, False),
        (None, DAY, None, False),
        (HERE, None, None, False),
        (HERE, DAY, at("2 04:59"), True),
        (HERE, DAY, at("2 05:00"), False),
        (HERE, DAY, at("2 08:00"), False),
    ],
)
def test_who_is_seen_for_the_first_time_today(presence, day, came_at, first):
    assert offers.first_seen(Lineage(came_at=came_at), Surroundings(presence, day=day)) is first


def test_what_was_offered_today():
    assert offers.offered_today(Lineage(offered_at=at("2 05:00")), DAY) == at("2 05:00")
    assert offers.offered_today(Lineage(offered_at=at("2 04:59")), DAY) is None
    assert offers.offered_today(Lineage(offered_at=at("2 08:00")), None) is None
