"""The end of a sign-in, met before it hurts: the program that uses it never sees an error."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from real import javascript
from real.machine import BOTO3_PROGRAM, SSOWATCH_CONFIG, until

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

TESTS = Path(__file__).parent.parent
PERSON = """\
#!/bin/sh
echo "$1" >> "{home}/tabs"
PYTHONPATH="{tests}:{tree}" exec "{python}" -m simulator.person --press Allow "$1"
"""
TELL = """\
#!/bin/sh
cat >> "{home}/notices"
echo "Sign in"
"""
# No screen is asked for here: nobody could be known to be present.
CONFIG = f"""{SSOWATCH_CONFIG}
mode: {{mode}}
sign_ins: {{{{corp: {{{{length: 8h}}}}}}}}  # else it would be learned from the ends below, which come early
quiet: {{{{when_locked: false, when_idle: false}}}}
notify: [{{{{command: ["{{notifier}}"]}}}}]
"""


def program(machine, name, text):
    path = machine.home / name
    path.write_text(text.format(home=machine.home, tests=TESTS, tree=TESTS.parent, python=sys.executable))
    path.chmod(0o700)
    return path


def count(machine, name):
    path = machine.home / name
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(
    "machine", [pytest.param({"tokens_die_with_session": False}, id="the token outlives its sign-in")], indirect=True
)
@pytest.mark.parametrize(
    ("mode", "notices", "script"), [("auto", 0, False), ("notify", 1, False), ("auto", 0, True)],
    ids=["auto, boto3", "notify, boto3", "auto, JavaScript"],
)  # fmt: skip
def test_a_refused_renewal_is_answered_while_the_token_lives(machine, mode, notices, script):
    browser, notifier = program(machine, "person", PERSON), program(machine, "tell", TELL)
    (machine.home / ".config/ssowatch/config.yaml").write_text(CONFIG.format(mode=mode, notifier=notifier))
    machine.environ["BROWSER"] = str(browser)
    machine.sign_in()
    machine.start_watcher()
    command, environ = javascript.program() if script else (BOTO3_PROGRAM, {})
    client = machine.start_client(command, **environ)
    assert client.call("dev").ok
    machine.until_fresh()
    for tabs in (1, 2):  # a second end, of the sign-in that ssowatch made, is a new event
        machine.simulator.end_session()
        before = machine.corp()["token_expires_at"]
        machine.jump_to_renewal()
        machine.until(lambda corp, old=before: corp["token_expires_at"] != old, "a new sign-in", 120)
        machine.until_fresh()
        until(lambda wanted=tabs: count(machine, "tabs") == wanted, "one more tab")
        assert client.call("dev").ok
        machine.clock.jump(timedelta(minutes=10))
        assert client.call("dev").ok
        assert count(machine, "notices") == notices * tabs
