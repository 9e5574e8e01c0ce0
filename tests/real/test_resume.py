"""Sleep and set clocks, where the kernel tells of them: what is overdue is done at once, however slow the heart beats.

The clock of the programs is moved unheard (`walljump.c`), and then the machine's own is stepped by a nanosecond, of which
the kernel tells: together that is what a resume looks like to a process.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import stepped_clock
from real.machine import moment

pytestmark = pytest.mark.real

HOUR = timedelta(hours=1)
SLOW = "heartbeat: 10m\n"
"""Slower than any test waits."""


@pytest.fixture(autouse=True)
def steppable() -> None:
    stepped_clock.required()


@pytest.fixture
def slow(machine):
    """A watcher whose heartbeat helps no test."""
    (machine.home / ".config/ssowatch/config.yaml").write_text(SLOW)
    machine.sign_in()
    machine.start_watcher()
    machine.until_fresh()
    return machine


@pytest.mark.parametrize("asleep", [0.6 * HOUR, 2 * HOUR], ids=["due meanwhile", "run out meanwhile"])
def test_a_renewal_overslept_is_made_at_once(slow, asleep):
    before = slow.corp()["token_expires_at"]
    slow.clock.jump(asleep)
    stepped_clock.step()
    slow.until(lambda corp: corp["token_expires_at"] > before and slow.is_fresh(corp), "it was renewed")
    assert slow.renewals() == ["ok"]
    assert "the clock moved by" in slow.watcher.said()


def test_a_clock_set_back_is_seen_at_once(slow):
    """The token's true end is earlier than that clock will say."""
    slow.clock.jump(-6 * HOUR)
    stepped_clock.step()
    slow.until(lambda _: slow.renewals() == ["ok"], "it was renewed")
    corp = slow.until_fresh()
    assert moment(corp["token_expires_at"]) - slow.clock.now() <= HOUR


def test_a_step_that_changes_nothing_changes_nothing(slow):
    before = slow.corp()
    for _ in range(20):
        stepped_clock.step()
    assert slow.ssowatch("pause", "1h").returncode == 0  # asks for a look, which comes after those of the steps
    slow.until(lambda corp: corp["paused_until"] or slow.published()["watcher"]["paused_until"], "it is seen")
    assert {**slow.corp(), "paused_until": None} == {**before, "paused_until": None}
    assert slow.renewals() == []
