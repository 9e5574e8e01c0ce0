"""A sign-in of eight hours with real processes, in both ways a portal may take Logout: the clock restarts only where it
really did, and ssowatch says what happened."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from real.machine import SSOWATCH_CONFIG, moment, until
from real.test_auto import PERSON, count, program

from ssowatch.paths import key

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

# The person presses the first button that signs in, and leaves the others alone.
PRESS = """\
#!/bin/sh
said="$(cat)"
printf '%s' "$said" > "{home}/.said.$$" && mv "{home}/.said.$$" "{home}/said.$$"
case "$said" in
*'"buttons": ["Fresh sign-in"'*) echo "Fresh sign-in" ;;
*'"buttons": ["Sign in"'*) echo "Sign in" ;;
esac
"""
CONFIG = f"""{SSOWATCH_CONFIG}
quiet: {{{{when_locked: false, when_idle: false}}}}
notify: [{{{{command: ["{{notifier}}"]}}}}]
"""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def day(machine):
    """Nine o'clock: signed in by the AWS CLI, the watcher runs."""
    notifier = program(machine, "press", PRESS)
    machine.environ["BROWSER"] = str(program(machine, "person", PERSON))
    (machine.home / ".config/ssowatch/config.yaml").write_text(CONFIG.format(notifier=notifier))
    machine.sign_in()
    machine.start_watcher()
    machine.until_fresh()
    return machine


def pass_until(machine, end):
    """Let the time pass, through every renewal."""

    def at_rest(corp):
        return corp["state"] in {"valid", "expiring"} and not corp["problem"] and moment(corp["renew_at"]) > now()

    now = machine.clock.now
    while now() < end:
        machine.until(at_rest, "renewed")
        machine.clock.jump(min(40 * MINUTE, end - now()))
    machine.until(at_rest, "renewed")  # or the next jump would come before the watcher has seen this one


def notices(machine):
    """What was told, in order; each in a file of its own, for two may be told at once."""
    return [
        json.loads(path.read_text())
        for path in sorted(machine.home.glob("said.*"), key=lambda one: one.stat().st_mtime_ns)
    ]


def signed_in_again(machine, tabs):
    until(lambda: count(machine, "tabs") == tabs, f"tab {tabs}", 120)
    return machine.until_fresh()


def warned_and_fresh(machine):
    """The afternoon of a first day: warned by what is assumed, the fresh sign-in is made; the old end and the new one."""
    corp = machine.corp()
    assert corp["ends_at_source"] == "assumed"
    end = moment(corp["ends_at"])
    pass_until(machine, end - 14 * MINUTE)
    until(lambda: notices(machine), "the notice")
    assert "AWS sign-in may end at" in notices(machine)[0]["title"]
    signed_in_again(machine, 1)
    corp = machine.until(lambda corp: moment(corp["ends_at"]) > end + HOUR, "a later end")
    return end, moment(corp["ends_at"])


def test_where_logout_ends_the_portal_session_a_fresh_sign_in_restarts_the_clock(day):
    old, new = warned_and_fresh(day)
    assert timedelta(hours=7.5) < new - old < 8 * HOUR
    pass_until(day, old + 20 * MINUTE)
    assert day.until_fresh()["ends_at"], "it goes on"
    pass_until(day, new - 20 * MINUTE)
    assert count(day, "tabs") == 1
    day.clock.jump(70 * MINUTE)  # it ends while nobody looks
    corp = signed_in_again(day, 2)
    begun = day.clock.now()
    assert (corp["ends_at_source"], corp["good_until_certain"]) == ("learned", False)
    assert moment(corp["good_until"]) >= begun + timedelta(hours=7)
    assert abs(moment(corp["ends_at"]) - begun - 8 * HOUR) < HOUR
    days = json.loads(day.ssowatch("history", "--json").stdout)["days"]
    assert sum(one["signed_in"] for one in days) == 2
    assert sum(one["warned"] for one in days) >= 2
    assert sum(one["renewed"] for one in days) > 10


@pytest.mark.parametrize("machine", [{"portal_outlives_sign_ins": True}], indirect=True, ids=["outlives"])
def test_where_the_portal_session_goes_on_the_fresh_sign_in_ends_with_the_old_one(day):
    old, _ = warned_and_fresh(day)
    day.clock.jump_to(old + 20 * MINUTE)
    until(lambda: count(day, "tabs") == 2, "the sign-in after the end", 120)
    said = (day.home / ".local/state/ssowatch/acts.jsonl").read_text()
    assert "the fresh sign-in did not move the end" in said
    corp = day.until_fresh()
    assert corp["ends_at_source"] == "learned"
    pass_until(day, moment(corp["good_until"]) - 14 * MINUTE)
    until(lambda: len(notices(day)) == 3, "the notice before the next end", 120)
    assert notices(day)[2]["buttons"] == ["When it ends"], "a fresh one would not help here"
    assert count(day, "tabs") == 2


# Two sign-ins of one portal

LAB = """
[sso-session lab]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile lab]
sso_session = lab
sso_account_id = 222222222222
sso_role_name = ReadOnly
"""
PRESS_CORP = """\
#!/bin/sh
said="$(cat)"
printf '%s' "$said" > "{home}/.said.$$" && mv "{home}/.said.$$" "{home}/said.$$"
case "$said" in
*'"name": "corp"'*'"buttons": ["Fresh sign-in"'*) echo "Fresh sign-in" ;;
*'"name": "corp"'*'"buttons": ["Sign in"'*) echo "Sign in" ;;
esac
"""


def lab(machine):
    return next(one for one in machine.published()["sign_ins"] if one["name"] == "lab")


def both(machine):
    """Signed in to both, by one and the same person."""
    notifier = program(machine, "press", PRESS_CORP)
    machine.environ["BROWSER"] = str(program(machine, "person", PERSON))
    own = CONFIG + "sign_ins: {{corp: {{length: 3h}}}}\n"
    (machine.home / ".config/ssowatch/config.yaml").write_text(own.format(notifier=notifier))
    with (machine.home / ".aws/config").open("a") as config:
        config.write(LAB)
    corp = machine.sign_in()
    (machine.token_file.parent / f"{key('lab')}.json").write_text(json.dumps(machine.simulator.sign_in()))
    machine.start_watcher()
    machine.until_fresh()
    return corp


def test_what_ends_together_is_noticed_together_and_one_button_signs_in_to_both(machine):
    both(machine)
    machine.simulator.end_session()
    machine.jump_to_renewal()
    until(lambda: count(machine, "tabs") == 2, "a tab for each", 120)
    machine.until_fresh()
    until(lambda: lab(machine)["state"] == "valid" and not lab(machine)["problem"], "the other one too", 120)
    assert count(machine, "tabs") == 2


def test_a_fresh_sign_in_takes_those_along_that_it_has_ended(machine):
    both(machine)
    end = moment(machine.corp()["ends_at"])
    pass_until(machine, end - 14 * MINUTE)
    until(lambda: count(machine, "tabs") == 2, "a tab for each", 120)
    machine.until(lambda corp: moment(corp["ends_at"]) > end + HOUR, "a later end")
    until(lambda: lab(machine)["state"] == "valid" and not lab(machine)["problem"], "the other one too", 120)
    pressed = [one for one in notices(machine) if one["sign_in"]["name"] == "corp"]
    assert len(pressed) == 1
