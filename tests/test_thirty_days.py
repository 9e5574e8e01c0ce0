"""Thirty days on an 8 hour portal (`thirty_days.py`): what is claimed of them in docs/forecast.md."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import thirty_days
from diary import HOUR, MINUTE, MONDAY
from lived import Poller, Ssowatch
from thirty_days import lived

from ssowatch.demo.center.settings import Settings
from ssowatch.model import Button, Cause

DOCS = Path(__file__).parents[1] / "docs/forecast.md"
SHORT = 12


@pytest.fixture(scope="module")
def month():
    return lived(Ssowatch, SHORT)


def test_no_call_fails(month):
    assert month.calls > 1500
    assert not month.errors
    assert month.held["agent"], "the nights have calls to hold"
    assert month.blocked < 5 * MINUTE * len(month.diary.arrivals), "but for the minutes of signing in"


def test_the_first_day_is_warned_of_by_what_is_assumed(month):
    first = next(one for one in month.asked if one.cause is Cause.ENDING)
    assert (first.at.date(), first.source) == (MONDAY.date(), "assumed")
    assert "may end at" in first.title


def test_from_the_second_day_on_no_end_at_the_desk_is_a_surprise(month):
    later = [one for one in month.ends if one.at >= MONDAY + timedelta(days=1)]
    assert later
    for end in later:
        assert not end.at_the_screen or (end.announced_at and end.at - end.announced_at >= 15 * MINUTE), end
    said = [one for one in month.asked if one.cause is Cause.ENDING and one.at >= MONDAY + timedelta(days=1)]
    assert said
    assert all(one.source == "learned" for one in said)
    assert "ends about" in said[-1].title


def test_one_interruption_per_workday_at_most(month):
    assert max(month.interruptions().values()) == 1
    assert month.tabs_unseen == 0


def test_a_portal_whose_session_outlives_the_sign_in():
    """The first fresh sign-in does not move the end; that is said, and no second one is offered."""
    month = lived(Ssowatch, 5, Settings(session_length=8 * HOUR, portal_outlives_sign_ins=True))
    monday = [one for one in month.asked if one.at < MONDAY + timedelta(days=1)]
    assert [one.cause for one in monday] == [Cause.ENDED, Cause.ENDING, Cause.ENDED]
    assert Button.FRESH in monday[1].buttons
    later = [one for one in month.asked if one.at >= MONDAY + timedelta(days=1)]
    assert Counter(one.buttons for one in later if one.cause is Cause.ENDING) == {(Button.WHEN_IT_ENDS,): 4}
    assert next(one for one in month.ends if one.at_the_screen).said
    assert all(
        end.announced_at and end.at - end.announced_at >= 15 * MINUTE for end in month.ends[1:] if end.at_the_screen
    )


def test_a_portal_of_a_day_is_offered_a_fresh_one_in_the_morning():
    month = lived(Ssowatch, 5, Settings(session_length=24 * HOUR, short_tail=True))
    offers = [one for one in month.asked if one.cause is Cause.OFFER]
    assert offers
    assert all(one.at.hour == 9 and one.title == "corp: start a fresh 24 h day?" for one in offers)


def test_the_others_meet_errors():
    poller = lived(Poller, 3)
    assert poller.by_day() > 0
    assert poller.tabs_unseen > 50


@pytest.mark.real
def test_the_table_of_the_docs_is_the_one_that_is_measured():
    assert thirty_days.table() in DOCS.read_text()
