"""Every button of every notice, pressed: the state is better afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from real.machine import SSOWATCH_CONFIG, moment, until
from real.test_auto import PERSON, count, program

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

PRESS = """\
#!/bin/sh
cat >> "{{home}}/notices"
echo "{label}"
"""
# Nobody can be known to be present here, so no screen is asked for.
CONFIG = f"""{SSOWATCH_CONFIG}
sign_ins: {{{{corp: {{{{length: 3h}}}}}}}}
quiet: {{{{when_locked: false, when_idle: false}}}}
notify: [{{{{command: ["{{notifier}}"]}}}}]
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def begun(machine, request):
    """A morning: signed in, one program at work; the first notice is answered by the button of the test."""
    notifier = program(machine, "press", PRESS.format(label=request.param))
    machine.environ["BROWSER"] = str(program(machine, "person", PERSON))
    (machine.home / ".config/ssowatch/config.yaml").write_text(CONFIG.format(notifier=notifier))
    machine.sign_in()
    machine.start_watcher()
    machine.until_fresh()
    return machine


def near_the_end(machine):
    """Ten minutes before the end that the config names; each renewal on the way is made."""
    end = moment(machine.corp()["ends_at"])
    while machine.clock.now() < end - 10 * MINUTE:
        machine.clock.jump(min(25 * MINUTE, end - 10 * MINUTE - machine.clock.now()))
        machine.until(lambda corp: moment(corp["renew_at"]) > machine.clock.now(), "renewed")
    return end


def past_the_end(machine):
    """The sign-in is over, and so is its token."""
    machine.simulator.end_session()
    machine.clock.jump(70 * MINUTE)


@pytest.mark.parametrize("begun", ["Fresh sign-in"], indirect=True)
def test_a_fresh_sign_in_has_its_full_length(begun):
    end = near_the_end(begun)
    begun.until(lambda corp: corp["ends_at"] and moment(corp["ends_at"]) > end + 60 * MINUTE, "a later end", 120)
    assert begun.corp()["state"] == "valid"
    assert (count(begun, "notices"), count(begun, "tabs")) == (1, 1)


@pytest.mark.parametrize("begun", ["When it ends"], indirect=True)
def test_when_it_ends_opens_the_tab_at_the_end(begun):
    near_the_end(begun)
    until(lambda: count(begun, "notices") == 1, "the notice")
    assert count(begun, "tabs") == 0
    past_the_end(begun)
    until(lambda: count(begun, "tabs") == 1, "the tab", 120)
    begun.until(lambda corp: corp["state"] == "valid" and not corp["problem"], "signed in again", 120)
    assert (count(begun, "notices"), count(begun, "tabs")) == (1, 1)


@pytest.mark.parametrize("begun", ["Sign in"], indirect=True)
def test_sign_in_signs_in(begun):
    past_the_end(begun)
    until(lambda: count(begun, "tabs") == 1, "the tab", 120)
    begun.until(lambda corp: corp["state"] == "valid" and not corp["problem"], "signed in again", 120)
    assert (count(begun, "notices"), count(begun, "tabs")) == (1, 1)


@pytest.mark.parametrize("begun", ["Sign in"], indirect=True)
def test_a_profile_that_is_taken_away_while_its_tab_is_open_costs_nothing(begun):
    takes_away = PERSON.replace("echo", 'rm "{home}/.aws/config"; echo', 1)
    program(begun, "person", takes_away)
    past_the_end(begun)
    until(lambda: "corp: signed_in" in begun.watcher.said(), "what the sign-in came to", 120)
    until(lambda: not begun.published()["sign_ins"], "nothing is watched")
    assert "Traceback" not in begun.watcher.said()


@pytest.mark.parametrize("begun", ["Not today"], indirect=True)
def test_not_today_is_quiet_and_programs_know_why(begun):
    past_the_end(begun)
    until(lambda: count(begun, "notices") == 1, "the notice")

    def told():
        done = begun.ssowatch("ensure", "corp", "--timeout", "1s")
        assert done.returncode == 1
        return "Not today" in done.stdout + done.stderr

    until(told, "programs are told why")
    assert (count(begun, "notices"), count(begun, "tabs")) == (1, 0)
