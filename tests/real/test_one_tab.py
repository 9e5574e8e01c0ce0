"""One tab for the whole machine, however many programs ask, at once or one after the other.

Rules of this file:
1. The portal counts: a tab is an AuthorizePage, an approval an AuthorizeForm that says `allowed`. The browser is
   `simulator.person`, which opens the page at once and acts when the test lets it: so all callers have joined by then,
   as they have when a person types a password.
2. Callers are real processes; at a terminal (their stdin is one) or without.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from real.machine import AWS_CONFIG, PATIENCE, bare_environ, until
from simulator.remote import running

from ssowatch import flows, memories
from ssowatch.paths import key

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

TESTS = Path(__file__).parent.parent
CALLERS = 50
LOUD = 180.0
"""Seconds: fifty Pythons start on two cores that others use, too."""
PERSON = """\
#!/bin/sh
echo "$1" >> "{home}/tabs"
while [ ! -e "{home}/act" ]; do sleep 0.05; done
PYTHONPATH="{tests}:{tree}" exec "{python}" -m simulator.person --press "$(cat "{home}/act")" "$1"
"""
NOBODY = """\
#!/bin/sh
echo "$1" >> "{home}/tabs"
"""
TELL = """\
#!/bin/sh
cat >> "{home}/notices"
"""
PRESS = f"""{TELL}
echo "Sign in"
"""


class Caller:
    """`ssowatch` as somebody runs it; remembers when it ended."""

    def __init__(self, stage, arguments, *, terminal):
        self.output = stage.folder / f"caller{len(stage.callers)}.txt"
        main, tty = pty.openpty() if terminal else (None, None)
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ssowatch", *arguments],
                env=stage.environ,
                cwd=stage.folder,
                stdin=tty if terminal else subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._open = [main, tty] if terminal else []
        self.ended_at = None
        self._watch = threading.Thread(target=self._wait, daemon=True)
        self._watch.start()
        stage.callers.append(self)

    def _wait(self):
        self.process.wait()
        self.ended_at = time.time()  # noqa: TID251 - compared with a file's time

    def said(self):
        return self.output.read_text(errors="replace")

    def code(self):
        self._watch.join(LOUD)
        assert self.ended_at, f"still runs: {self.process.args}\n{self.said()}"
        return self.process.returncode

    def close(self):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._watch.join(PATIENCE)
        for fd in self._open:
            os.close(fd)


class Stage:
    """A home, a portal and a person."""

    def __init__(self, folder, simulator):
        self.folder = folder
        self.simulator = simulator
        self.home = folder / "home"
        self.callers = []
        self.token_file = self.home / ".aws/sso/cache" / f"{key('corp')}.json"
        self.token_file.parent.mkdir(parents=True)
        (self.home / ".aws/config").write_text(AWS_CONFIG)
        self.environ = {**bare_environ(self.home), **simulator.environ, "BROWSER": str(self.program("person", PERSON))}

    def program(self, name, text):
        place = self.home / name
        place.write_text(text.format(home=self.home, tests=TESTS, tree=TESTS.parent, python=sys.executable))
        place.chmod(0o755)
        return place

    def config(self, text):
        place = self.home / ".config/ssowatch/config.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(0o600)

    def call(self, *arguments, terminal=True):
        return Caller(self, arguments, terminal=terminal)

    def tabs(self):
        return _lines(self.home / "tabs")

    def act(self, button="Allow"):
        (self.home / "act.new").write_text(button)
        (self.home / "act.new").rename(self.home / "act")

    def approvals(self):
        return [call for call in self.simulator.calls("AuthorizeForm") if call.outcome == "allowed"]

    def until_all_wait(self, callers):
        until(lambda: all("No window?" in one.said() for one in callers), "all of them have joined", LOUD)

    def close(self):
        for one in self.callers:
            one.close()
        names = _names(self.home)
        for name in names:
            flows.cancel(name)
        until(lambda: not any(map(flows.alive, names)), "the flows ended")


def _lines(place):
    return place.read_text().splitlines() if place.exists() else []


def _names(home):
    return [json.loads(one.read_text())["name"] for one in (home / ".local/state/ssowatch/flows").glob("*.json")]


@pytest.fixture
def stage(folder, monkeypatch):
    with running(folder / "ports") as simulator:
        stage = Stage(folder, simulator)
        monkeypatch.setenv("HOME", str(stage.home))
        try:
            yield stage
        finally:
            stage.close()
        complaints = [one.said() for one in stage.callers if "Traceback" in one.said()]
        assert not complaints, "\n".join(complaints)


WAYS = (("ensure", "dev"), ("exec", "dev", "--", "true"), ("login", "corp"), ("ensure", "corp", "--timeout", "10m"))


def many(stage):
    return [stage.call(*WAYS[number % len(WAYS)]) for number in range(CALLERS)]


def test_fifty_callers_one_approval(stage):
    callers = many(stage)
    stage.until_all_wait(callers)
    stage.act()
    codes = [one.code() for one in callers]
    assert codes == [0] * CALLERS, [one.said() for one in callers if one.code()]
    approved_at = stage.approvals()[0].at.timestamp()
    written_at = stage.token_file.stat().st_mtime
    last = max(one.ended_at for one in callers)
    print(
        f"token {written_at - approved_at:.2f} s after the approval, the last of {CALLERS} {last - approved_at:.2f} s"
    )
    assert len(stage.tabs()) == len(stage.approvals()) == 1
    assert [call.outcome for call in stage.simulator.calls("AuthorizePage")] == ["sign_in"]
    assert last - approved_at < PATIENCE  # 3 s on a machine that has time; here others have it, too


def test_fifty_callers_one_denial(stage):
    callers = many(stage)
    stage.until_all_wait(callers)
    stage.act("Deny")
    assert [one.code() for one in callers] == [1] * CALLERS
    assert all("denied" in one.said() for one in callers)
    assert len(stage.tabs()) == len(stage.simulator.calls("AuthorizePage")) == 1
    assert not stage.token_file.exists()


def test_fifty_who_come_while_the_token_is_renewed_make_one_call(stage):
    """Nobody is asked: the token has run out, the sign-in has not."""
    content = stage.simulator.sign_in()
    stage.token_file.write_text(json.dumps({**content, "expiresAt": "2020-01-01T00:00:00Z"}))
    callers = [stage.call(*WAYS[number % 2], terminal=number % 3 > 0) for number in range(20)]
    assert [one.code() for one in callers] == [0] * 20
    assert [call.outcome for call in stage.simulator.calls("CreateToken")] == ["ok"]
    assert stage.tabs() == []


def test_a_caller_may_go_any_way_and_the_others_go_on(stage):
    first = stage.call("ensure", "dev")
    stage.until_all_wait([first])
    interrupted, hurried = stage.call("login", "corp"), stage.call("ensure", "dev", "--timeout", "1s")
    others = [stage.call(*WAYS[number % 3]) for number in range(6)]
    stage.until_all_wait([interrupted, *others])
    first.process.kill()
    interrupted.process.send_signal(signal.SIGINT)
    assert (first.code(), interrupted.code(), hurried.code()) == (-signal.SIGKILL, 130, 1)
    stage.act()
    assert [one.code() for one in others] == [0] * len(others)
    assert len(stage.tabs()) == len(stage.approvals()) == 1


def test_a_flow_that_is_killed_is_an_outage_for_its_callers_and_no_more(stage):
    """They end with 75 and start none of their own: a crash that repeats would else be a tab each time."""
    callers = [stage.call(*WAYS[number % 3]) for number in range(6)]
    stage.until_all_wait(callers)
    os.kill(flows.running("corp").pid, signal.SIGKILL)
    assert [one.code() for one in callers] == [os.EX_TEMPFAIL] * len(callers)
    assert len(stage.tabs()) == 1
    stage.act()  # the tab that was left behind finds nobody
    later = stage.call("ensure", "dev")
    assert later.code() == 0
    assert len(stage.approvals()) >= 1


def test_five_sign_ins_one_after_the_other(stage):
    names = ["corp", *(f"team{number}" for number in range(4))]
    more = [
        f"[sso-session {name}]\nsso_start_url = https://d-{name}.awsapps.com/start\nsso_region = us-east-1\n"
        for name in names[1:]
    ]
    (stage.home / ".aws/config").write_text("\n".join([AWS_CONFIG, *more]))
    callers = [stage.call("login", name) for name in names]
    said = "comes next"
    until(lambda: sum(said in one.said() for one in callers) == 4 and len(stage.tabs()) == 1, "four wait", LOUD)
    stage.act()
    assert [one.code() for one in callers] == [0] * 5
    assert len(stage.tabs()) == 5
    steps = [
        call.operation.removeprefix("Authorize")
        for call in stage.simulator.calls()
        if call.operation == "AuthorizePage" or (call.operation, call.outcome) == ("AuthorizeForm", "allowed")
    ]
    assert steps == ["Page", "Form"] * 5, "never two open at once"


BUTTONS = [
    # id, what the person presses on the portal's page, exit code
    ("allowed", "Allow", 0),
    ("denied", "Deny", 1),
]


@pytest.mark.parametrize(("answer", "code"), [row[1:] for row in BUTTONS], ids=[row[0] for row in BUTTONS])
@pytest.mark.parametrize("watcher", [True, False], ids=["beside a watcher", "without one"])
def test_programs_wait_for_the_button_of_one_notice(stage, watcher, answer, code):
    press = stage.program("press", PRESS)
    stage.config(f"notify: [{{command: ['{press}']}}]\nquiet: {{when_locked: false, when_idle: false}}\n")
    if watcher:
        stage.call("run", terminal=False)
        until((stage.home / ".local/state/ssowatch/status.json").exists, "the watcher published")
    programs = [stage.call("ensure", "dev", "--timeout", "10m", terminal=False) for _ in range(4)]
    programs += [stage.call(*WAYS[1], terminal=False) for _ in range(4)]
    until(stage.tabs, "the button was pressed and opened the tab", LOUD)
    person = stage.call("login", "corp")
    stage.until_all_wait([person])
    stage.act(answer)
    assert [one.code() for one in [*programs, person]] == [code] * 9, [one.said() for one in stage.callers]
    assert (len(stage.tabs()), len(_lines(stage.home / "notices"))) == (1, 1)


# One after the other, at night

CALLS = 200
EVERY = timedelta(minutes=3)
NIGHTS = [
    # mode, calls, tabs, notices
    ("notify", CALLS, 0, 1),
    ("auto", CALLS, 1, 1),
    ("silent", 20, 0, 0),
]


@pytest.mark.parametrize(("mode", "calls", "tabs", "notices"), NIGHTS, ids=[row[0] for row in NIGHTS])
def test_a_night_of_programs_that_ask_without_a_watcher(machine, monkeypatch, mode, calls, tabs, notices):
    night(machine, monkeypatch, mode, calls)
    assert (len(_lines(machine.home / "tabs")), len(_lines(machine.home / "notices"))) == (tabs, notices)


@pytest.mark.parametrize(("mode", "calls", "tabs", "notices"), NIGHTS, ids=[row[0] for row in NIGHTS])
def test_a_night_of_programs_that_ask_beside_a_watcher(machine, monkeypatch, mode, calls, tabs, notices):
    night(machine, monkeypatch, mode, calls, watcher=True)
    assert (len(_lines(machine.home / "tabs")), len(_lines(machine.home / "notices"))) == (tabs, notices)


def night(machine, monkeypatch, mode, calls, *, watcher=False):
    """The sign-in ended in the evening; a program asks every three minutes, ten hours long."""
    monkeypatch.setenv("HOME", str(machine.home))
    for name, text in (("nobody", NOBODY), ("tell", TELL)):
        place = machine.home / name
        place.write_text(text.format(home=machine.home))
        place.chmod(0o755)
    machine.environ["BROWSER"] = str(machine.home / "nobody")
    (machine.home / ".config/ssowatch/config.yaml").write_text(
        f"heartbeat: 200ms\nmode: {mode}\nnotify: [{{command: ['{machine.home}/tell']}}]\n"
        "quiet: {when_locked: false, when_idle: false}\n"
    )
    (machine.home / ".config/ssowatch/config.yaml").chmod(0o600)
    machine.sign_in()
    machine.clock.jump(timedelta(hours=9))
    if watcher:
        machine.start_watcher()
    codes = Counter()
    try:
        for _ in range(calls):
            codes[machine.ssowatch("ensure", "dev", "--timeout", "200ms").returncode] += 1
            if mode == "auto":  # no night passes while a browser starts
                until(lambda: _lines(machine.home / "tabs"), "the tab is open")
            machine.clock.jump(EVERY)
    finally:
        flows.cancel("corp")
        until(lambda: not flows.alive("corp"), "the flow ended")
    print(f"{mode}: {dict(codes)}; {memories.load('corp').lineage}")
    assert codes == {1: calls}
    assert [call.outcome for call in machine.simulator.calls("CreateToken") if call.outcome == "ok"] == []
