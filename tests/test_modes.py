"""Who is asked, and how: the rules of modes.py one by one. The table itself is in test_planner.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import modes
from ssowatch.model import Button, Cause, Day, Lineage, Mode, Notice, Policy, Presence, Surroundings, Tab

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
HERE = Surroundings(Presence.PRESENT)
AUTO = Policy(Mode.AUTO)
NO_GATE = {"when_locked": False, "when_idle": False}
TODAY = Day(NOW - 7 * HOUR, NOW + HOUR, NOW + 19 * HOUR)
FRESH, SIGN_IN = (Button.FRESH, Button.WHEN_IT_ENDS), (Button.SIGN_IN, Button.NOT_TODAY)

ASKED = [
    # what, cause, policy, lineage, around, does signing in help, what is asked
    ("it is near its end", Cause.ENDING, Policy(), Lineage(), HERE, False, Notice(Cause.ENDING, FRESH)),
    ("it ends for lack of a refresh token", Cause.ENDING, Policy(), Lineage(), HERE, True, Notice(Cause.ENDING, SIGN_IN)),
    ("it was refused", Cause.REFUSED, Policy(), Lineage(), HERE, False, Notice(Cause.REFUSED, SIGN_IN)),
    ("an offer", Cause.OFFER, Policy(), Lineage(), HERE, True, Notice(Cause.OFFER, FRESH)),
    ("an offer, made yesterday", Cause.OFFER, Policy(), Lineage(offered_at=NOW - DAY), replace(HERE, day=TODAY), True, Notice(Cause.OFFER, FRESH)),
    ("an offer, made today", Cause.OFFER, Policy(), Lineage(offered_at=NOW - HOUR), replace(HERE, day=TODAY), True, None),
    ("the end, on a day with an offer", Cause.ENDING, Policy(), Lineage(offered_at=NOW - HOUR), replace(HERE, day=TODAY), False, Notice(Cause.ENDING, FRESH)),
    ("an offer, before anybody looked who is there", Cause.OFFER, Policy(**NO_GATE), Lineage(), Surroundings(), True, None),
    ("the end, no gate, before anybody looked", Cause.ENDED, Policy(**NO_GATE), Lineage(), Surroundings(), True, Notice(Cause.ENDED, SIGN_IN)),
    ("the end, locked gate alone, before anybody looked", Cause.ENDED, Policy(when_idle=False), Lineage(), Surroundings(), True, None),
    ("the end, idle gate alone, before anybody looked", Cause.ENDED, Policy(when_locked=False), Lineage(), Surroundings(), True, None),
    ("auto, no gate, nobody can tell", Cause.ENDED, replace(AUTO, **NO_GATE), Lineage(), Surroundings(Presence.UNKNOWN), True, Tab(Cause.ENDED)),
    ("auto, locked gate alone, nobody can tell", Cause.ENDED, replace(AUTO, when_idle=False), Lineage(), Surroundings(Presence.UNKNOWN), True, Notice(Cause.ENDED, SIGN_IN)),
    ("auto, idle gate alone, nobody can tell", Cause.ENDED, replace(AUTO, when_locked=False), Lineage(), Surroundings(Presence.UNKNOWN), True, Notice(Cause.ENDED, SIGN_IN)),
    ("auto, the tab was denied", Cause.ENDED, AUTO, Lineage(tab_failed=True), HERE, True, Notice(Cause.ENDED, SIGN_IN)),
    ("at the end, the tab was denied", Cause.ENDED, Policy(), Lineage(at_end=True, tab_failed=True), HERE, True, Notice(Cause.ENDED, SIGN_IN)),
    ("at the end", Cause.ENDED, Policy(), Lineage(at_end=True), HERE, True, Tab(Cause.ENDED)),
    ("at the end, refused before it", Cause.REFUSED, Policy(), Lineage(at_end=True), HERE, True, Notice(Cause.REFUSED, SIGN_IN)),
    ("auto, its tab opens", Cause.ENDED, AUTO, Lineage(tabs=1, tab_at=NOW), HERE, True, None),
    ("auto, its tab never opened", Cause.ENDED, AUTO, Lineage(tabs=1, tab_at=NOW - HOUR), HERE, True, Notice(Cause.ENDED, SIGN_IN)),
    ("noticed", Cause.ENDED, Policy(), Lineage(noticed=(Cause.ENDED,)), HERE, True, None),
    ("unused for a week", Cause.ENDED, Policy(), Lineage(used_at=NOW - 7 * DAY), HERE, True, None),
    ("unused for a week, and a program runs on it", Cause.ENDED, Policy(), Lineage(used_at=NOW - 7 * DAY), replace(HERE, held=True), True, Notice(Cause.ENDED, SIGN_IN)),
    ("put off", Cause.ENDED, Policy(), Lineage(not_before=NOW + HOUR), HERE, True, None),
    ("put off until now", Cause.ENDED, Policy(), Lineage(not_before=NOW), HERE, True, Notice(Cause.ENDED, SIGN_IN)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "policy", "lineage", "around", "sign_in_helps", "action"),
    [row[1:] for row in ASKED],
    ids=[row[0] for row in ASKED],
)
def test_what_is_asked(cause, policy, lineage, around, sign_in_helps, action):
    assert modes.ask(cause, policy, lineage, around, NOW, sign_in_helps=sign_in_helps) == action


def test_a_fresh_sign_in_is_no_button_where_it_would_not_help():
    action = modes.ask(Cause.ENDING, Policy(), Lineage(), HERE, NOW, sign_in_helps=False, fresh_helps=False)
    assert action == Notice(Cause.ENDING, (Button.WHEN_IT_ENDS,))


@pytest.mark.parametrize(
    ("lineage", "starting"),
    [
        (Lineage(), False),
        (Lineage(tab_at=NOW), False),
        (Lineage(tabs=1, tab_at=NOW), True),
        (Lineage(tabs=1, tab_at=NOW - 59 * SECOND), True),
        (Lineage(tabs=1, tab_at=NOW - 60 * SECOND), False),
        (Lineage(tabs=1, tab_at=NOW + SECOND), False),
    ],
)
def test_how_long_a_tab_may_take(lineage, starting):
    assert modes.starting(lineage, NOW) is starting


def test_it_is_quiet_until_the_last_of_the_reasons_ends():
    around = replace(HERE, paused_until=NOW + HOUR, quiet_until=NOW + 2 * HOUR)
    assert modes.hushed_until(Lineage(not_before=NOW - HOUR), around, NOW) == NOW + 2 * HOUR
    assert modes.hushed_until(Lineage(not_before=NOW), HERE, NOW) is None
