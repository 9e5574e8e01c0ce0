"""When a token may be renewed, how long before its end, and what would come too soon after the last time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import timing
from ssowatch.model import Lineage, Memory, Policy, Renew, Token, TokenMemory

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIVING = Token("f", "client", NOW + SECOND, refreshable=True)
RUN_OUT = Token("f", "client", NOW, refreshable=True)


def tried(renewed=None, attempted=None, retry=None):
    """Seconds from now."""
    moments = [None if one is None else NOW + one * SECOND for one in (renewed, attempted, retry)]
    return Memory(TokenMemory(renewed_at=moments[0], attempted_at=moments[1], retry_at=moments[2]))


@pytest.mark.parametrize(
    ("known", "token", "resting"),
    [
        pytest.param(tried(), LIVING, False, id="nothing was tried"),
        pytest.param(tried(renewed=0), LIVING, True, id="renewed this moment"),
        pytest.param(tried(renewed=-59), LIVING, True, id="within the minute"),
        pytest.param(tried(renewed=-60), LIVING, False, id="a minute ago"),
        pytest.param(tried(renewed=1), LIVING, False, id="renewed in the future: the clock was set back"),
        pytest.param(tried(renewed=-1), RUN_OUT, False, id="renewed, and run out"),
        pytest.param(tried(attempted=-5, retry=1), RUN_OUT, True, id="within the back-off"),
        pytest.param(tried(attempted=0, retry=1), RUN_OUT, True, id="it begins"),
        pytest.param(tried(attempted=-5, retry=0), LIVING, False, id="it is over"),
        pytest.param(tried(attempted=1, retry=5), LIVING, False, id="tried in the future: the clock was set back"),
        pytest.param(tried(attempted=-5), LIVING, False, id="tried, and due at once"),
        pytest.param(tried(retry=5), LIVING, False, id="a next try without a first"),
    ],
)
def test_resting(known, token, resting):
    assert timing.resting(known, token, NOW) is resting


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "known", "may"),
    [
        pytest.param({}, Memory(), True, id="no end of the registration is known"),
        pytest.param({"registration_expires_at": NOW + SECOND}, Memory(), True, id="the registration lives"),
        pytest.param({"registration_expires_at": NOW}, Memory(), False, id="it ends this moment"),
        pytest.param({"refreshable": False}, Memory(), False, id="no refresh token"),
        pytest.param({}, Memory(TokenMemory(refused="x")), False, id="refused"),
    ],
)
def test_what_may_be_renewed(changes, known, may):
    assert timing.renewable(replace(LIVING, **changes), known, NOW) is may


@pytest.mark.parametrize(
    ("fingerprint", "jitter"),
    [
        ("00000000ffffffff", timedelta()),
        ("80000000ffffffff", MINUTE),
        ("c0000000", 1.5 * MINUTE),
        ("", timedelta()),
    ],
)
def test_the_jitter_is_a_token_s_own_and_less_than_two_minutes(fingerprint, jitter):
    token = replace(LIVING, fingerprint=fingerprint)
    assert timing.lead(token, Memory(), Policy(refresh_before=30 * MINUTE)) == 30 * MINUTE + jitter


@pytest.mark.parametrize(
    ("known", "lead"),
    [
        (Memory(TokenMemory(life=60 * MINUTE)), 30 * MINUTE),
        (Memory(TokenMemory(life=62 * MINUTE)), 31 * MINUTE),
        (Memory(TokenMemory(life=63 * MINUTE)), 31 * MINUTE),
        (Memory(lineage=Lineage(life=15 * MINUTE)), 7.5 * MINUTE),
        (Memory(TokenMemory(life=40 * MINUTE), Lineage(life=15 * MINUTE)), 20 * MINUTE),
    ],
)
def test_never_earlier_than_half_the_life(known, lead):
    token = replace(LIVING, fingerprint="80000000")
    assert timing.lead(token, known, Policy(refresh_before=30 * MINUTE)) == lead


TOKEN = Token("00000000", "client", NOW + 60 * MINUTE, refreshable=True)
LIFE = timedelta(hours=1)
RENEWED = TokenMemory(life=LIFE, renewed_at=NOW)


@pytest.mark.parametrize(
    ("known", "policy", "now", "due"),
    [
        pytest.param(Memory(RENEWED), Policy(), NOW, NOW + 30 * MINUTE, id="at half its life"),
        pytest.param(Memory(RENEWED), Policy(renew=Renew.NEVER), NOW, None, id="never"),
        pytest.param(Memory(RENEWED, Lineage(check_at=NOW + 10 * MINUTE)), Policy(), NOW, NOW + 10 * MINUTE, id="to learn"),
        pytest.param(Memory(RENEWED, Lineage(check_at=NOW)), Policy(), NOW, NOW + 30 * MINUTE, id="learned already"),
        pytest.param(Memory(RENEWED, Lineage(check_at=NOW + 40 * MINUTE)), Policy(), NOW, NOW + 30 * MINUTE, id="later"),
        pytest.param(Memory(RENEWED), Policy(), NOW - MINUTE, NOW + 30 * MINUTE, id="a clock that is a minute slow"),
        pytest.param(Memory(RENEWED), Policy(), NOW - MINUTE - SECOND, NOW - MINUTE - SECOND, id="one that was set back"),
        pytest.param(Memory(replace(RENEWED, doubted=True)), Policy(), NOW + 2 * MINUTE, NOW + 2 * MINUTE, id="doubted"),
        pytest.param(Memory(replace(RENEWED, doubted=True)), Policy(), NOW, NOW + MINUTE, id="doubted, and just renewed"),
        pytest.param(Memory(TokenMemory(attempted_at=NOW, retry_at=NOW + 50 * MINUTE)), Policy(), NOW, NOW + 50 * MINUTE, id="in its back-off"),
        pytest.param(Memory(TokenMemory(attempted_at=NOW)), Policy(), NOW, NOW + 30 * MINUTE, id="tried, and due at once"),
        pytest.param(Memory(TokenMemory(retry_at=NOW + 50 * MINUTE)), Policy(), NOW, NOW + 30 * MINUTE, id="never tried"),
        pytest.param(Memory(TokenMemory(attempted_at=NOW + SECOND, retry_at=NOW + 50 * MINUTE)), Policy(), NOW, NOW + 30 * MINUTE, id="tried in the future"),
    ],
)  # fmt: skip
def test_when_it_is_due(known, policy, now, due):
    assert timing.renew_at(TOKEN, known, policy, now) == due


def test_a_flaw_is_mended_at_once_but_not_within_a_minute_of_a_success():
    flawed = replace(TOKEN, flaw="odd dates")
    assert timing.renew_at(flawed, Memory(), Policy(), NOW) == NOW
    assert timing.renew_at(flawed, Memory(RENEWED), Policy(), NOW + SECOND) == NOW + MINUTE
    out = replace(flawed, expires_at=NOW + 2 * SECOND)
    assert timing.renew_at(out, Memory(RENEWED), Policy(), NOW + SECOND) == NOW + 2 * SECOND
