"""Some days of the team's month (`bench/month.py`), whose table stands in docs/reliability.md."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from diary import DAY, HOUR, MINUTE, MONDAY, Habits, Spans, written
from lived import OTHERS, Plain, Ssowatch

from ssowatch.model import Cause, Presence

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import month  # a bench is a program, found beside the tests

COMMUTER = month.TEAM["commutes by train, lid closed at night"]
TWO_PORTALS = month.TEAM["two portals, lid closed at lunch"]
LEGACY = month.TEAM["a legacy profile, laptop awake at night"]


@pytest.mark.parametrize("person", [TWO_PORTALS, LEGACY], ids=["two portals", "legacy"])
def test_no_client_sees_an_error_and_nobody_is_interrupted_twice(person):
    life = month.lived(person, Ssowatch, 3, seed=1)
    assert life.calls > 250
    assert not life.errors
    assert max(map(max, life.held.values())) > 6 * HOUR, "the night's calls are answered in the morning"
    assert set(life.interruptions().values()) == {1}
    assert life.tabs_unseen == 0
    assert {one.cause for one in life.asked} == {Cause.ENDED, Cause.ENDING}


def test_a_network_that_comes_back_without_a_word_costs_no_call():
    """Trains, and tokens of 15 minutes: a call in the back-off after a tunnel (found by the month, seed 5)."""
    life = month.lived(replace(COMMUTER, portals=(month.CORP, month.PARTNER)), Ssowatch, 5, seed=5)
    assert life.diary.offline.all
    assert not life.errors


def test_the_others_meet_errors_on_the_same_days():
    plain, ours = (month.lived(LEGACY, regime, 2, seed=1) for regime in (Plain, Ssowatch))
    assert plain.by_day() > 0
    assert plain.by_night() > 50
    assert plain.diary.present.all == ours.diary.present.all
    assert month.lived(LEGACY, Ssowatch, 2, 1, OTHERS).by_night() > 50, "a client that waits 60 s is told so each time"


def test_the_same_seed_is_the_same_month():
    one, other = (month.lived(TWO_PORTALS, Ssowatch, 2, seed=3) for _ in range(2))
    assert one.asked == other.asked
    assert (one.held, one.exposed, one.tabs) == (other.held, other.exposed, other.tabs)


# The diary


def test_spans_know_what_lies_in_them():
    spans = Spans([(MONDAY, MONDAY + HOUR), (MONDAY + HOUR, MONDAY + 2 * HOUR), (MONDAY + DAY, MONDAY + DAY)])
    assert spans.all == [(MONDAY, MONDAY + 2 * HOUR)]
    assert MONDAY in spans
    assert MONDAY + 2 * HOUR not in spans
    assert spans.within(MONDAY + HOUR, MONDAY + DAY) == HOUR


@pytest.mark.parametrize("person", month.TEAM.values(), ids=month.TEAM)
def test_a_diary_makes_sense(person):
    diary = written(person.habits, 14, random.Random(1))
    assert len(diary.arrivals) == 10
    for begin, end in diary.present.all:
        assert begin in diary.work
        assert diary.asleep.within(begin, end) == timedelta(), "who is at the screen has opened the lid"
        assert diary.presence(begin) is Presence.PRESENT
    for end in diary.announced:
        assert end not in diary.offline
    assert diary.presence(MONDAY + 3 * HOUR) is Presence.LOCKED


def test_meetings_leave_the_rest():
    with_some, without = (written(replace(Habits(), meetings=count), 1, random.Random(1)) for count in (3, 0))
    away = without.present.within(MONDAY, MONDAY + DAY) - with_some.present.within(MONDAY, MONDAY + DAY)
    assert 0 * MINUTE < away < 180 * MINUTE
