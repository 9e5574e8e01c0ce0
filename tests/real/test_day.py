"""A day of one machine, in about a minute: 24 hours of work, two suspends, an outage, and three ends of the sign-in.

Rules of this file:
1. Simulator, watcher and client are real processes on one moved clock. The client lives all day (one row restarts it),
   and its role credentials never live long enough for the next call, so each call stands on the token in the file.
2. Time passes in steps. At each the client calls twice: at once, whatever the watcher is at, and again when it is at
   rest. Only then does the next step come: in the real minutes of a step the watcher has ample time. `resume_threshold`
   is longer than a few steps, so the watcher takes them for time that passed, and only a suspend for a suspend.
3. Two spans are excused: from a resume until the watcher is at rest (one heartbeat and one attempt), and from the end of
   a sign-in until the person signs in. Outside them no call fails, and no client asks for a token.
4. The test knows from the simulator what is true; what the watcher says is held against it at each step.
5. A portal may give shorter tokens. Then the whole day is shorter by as much, so that it has the same number of renewals.
   botocore renews by itself below 15 minutes and knows no shorter tokens: of a 15-minute one it renews at every call,
   and nobody can be earlier. What must hold there is that no call fails and no sign-in is lost; `renews_itself` says so.
   The JavaScript SDK begins at 5 minutes and ssowatch at half the life, so there an outage may last 2 minutes.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from real import javascript
from real.machine import BOTO3_PROGRAM, CLIENT_NAME, moment
from simulator.faults import Fault, Kind

pytestmark = pytest.mark.real

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MARGIN = 5 * SECOND
"""Real time that passes between looking and acting."""
BACK_OFF = 5 * MINUTE
"""The longest; no recovery takes longer."""
SECOND_PROFILE = """
[profile audit]
sso_session = corp
sso_account_id = 222222222222
sso_role_name = ReadOnly
region = us-east-1
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One client, and the portal it lives with."""

    profiles: tuple[str, ...] = ("dev",)
    javascript: bool = False
    restarts: bool = False
    renews_itself: bool = False
    token_life: timedelta = HOUR
    step: timedelta = 10 * MINUTE
    outage: timedelta = 10 * MINUTE

    def scaled(self, span):
        """What `span` of an ordinary day is in this one."""
        return span * (self.token_life / HOUR)

    def portal(self):
        """Settings of the Identity Center."""
        return {
            "token_life": self.token_life,
            "session_length": self.scaled(8 * HOUR),
            "role_life": self.step / 2,
        }

    def config(self):
        """Of ssowatch. The user says how long a sign-in lasts: an end by the admin must not be learned from here."""
        lines = {
            "heartbeat": "200ms",
            "resume_threshold": f"{5 * self.step // SECOND}s",
            "warn_before": f"{self.scaled(15 * MINUTE) // SECOND}s",
        }
        lines["sign_ins"] = f"{{corp: {{length: {self.scaled(8 * HOUR) // SECOND}s}}}}"
        return "".join(f"{name}: {value}\n" for name, value in lines.items())


SHORT = {"token_life": 15 * MINUTE, "step": 2 * MINUTE, "outage": MINUTE}
ROWS = {
    "boto3": Row(),
    "boto3, restarted now and then": Row(restarts=True),
    "boto3, two profiles of one sign-in, and a role behind one of them": Row(profiles=("dev", "audit", "chained")),
    "boto3, a portal with 15-minute tokens": Row(renews_itself=True, **SHORT),
    "JavaScript": Row(javascript=True, profiles=("dev", "chained")),
    "JavaScript, a portal with 15-minute tokens": Row(javascript=True, **SHORT),
}


class Ticks(threading.Thread):
    """How often the watcher has looked at the world: it tells the service manager at the end of each tick."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.count = path, 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.start()

    def run(self):
        while message := self.socket.recv(4096):
            self.count += b"WATCHDOG=1" in message

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self.join()
        self.socket.close()


class Day:
    """What happens, and what must be true then."""

    def __init__(self, machine, row):
        self.machine, self.clock, self.row = machine, machine.clock, row
        self.command, self.environ = javascript.program() if row.javascript else (BOTO3_PROGRAM, {})
        self.ticks = Ticks(str(machine.home / "notify"))
        machine.environ["NOTIFY_SOCKET"] = self.ticks.path
        self.ticked = 0
        self.excused = []
        self.tokens = set()
        self.figures = Counter()
        self.steps = self.sign_ins = 0
        self.ends = self.ended_at = self.due = self.outage_since = None
        self.faulty = False
        with (machine.home / ".aws/config").open("a") as config:
            config.write(SECOND_PROFILE)
        (machine.home / ".config/ssowatch/config.yaml").write_text(row.config())

    def begin(self):
        """In the morning somebody signs in, then the programs start."""
        self.began = self.clock.now()
        self.write_sign_in()
        self.machine.start_watcher()
        self.start_client()
        self.look()

    # What happens

    def at(self, hours):
        """That hour of the day."""
        return self.began + self.row.scaled(hours * HOUR)

    def move(self, by):
        """The clock alone; from now on the watcher's earlier ticks tell nothing."""
        self.clock.jump(by)
        self.ticked = self.ticks.count

    def pass_until(self, then, step=None):
        """Time passes; at each step calls are made."""
        while (left := then - self.clock.now()) > SECOND:
            self.move(min(step or self.row.step, left))
            self.steps += 1
            if self.row.restarts and self.steps % 12 == 0:
                self.start_client()
            self.look()

    def outage(self):
        """CreateToken fails, beginning when the next renewal is due; the portal and STS go on."""
        step = self.row.outage / 5
        self.pass_until(self.due - 20 * SECOND)
        self.machine.simulator.add_fault(Fault(Kind.INTERNAL_ERROR, "CreateToken"))
        self.outage_since, self.faulty = self.due, True
        self.move(self.due + SECOND - self.clock.now())
        over = self.clock.now() + self.row.outage
        self.look()
        if self.row.restarts:
            self.start_client()
        self.pass_until(over, step)
        self.machine.simulator.clear_faults()
        self.faulty = False
        latest = self.clock.now() + BACK_OFF + MARGIN
        while self.machine.corp()["problem"]:
            assert self.clock.now() < latest, "renewal goes on after the outage"
            self.move(min(step, max(self.due - self.clock.now(), timedelta()) + SECOND))
            self.look()
        self.outage_since = None

    def suspend(self, length, *, client_is_quick=False):
        """The machine sleeps past the token's end. A client that calls before the next heartbeat may renew, or fail."""
        before = len(self.machine.renewals())
        self.move(self.row.scaled(length))
        if self.row.restarts:
            self.start_client()
        if client_is_quick:
            woke = self.clock.now()
            self.call(may_fail=True)
            self.rest()
            self.excused.append((woke, self.clock.now()))
        else:
            self.rest()
        self.call()
        attempts = len(self.machine.renewals()) - before
        assert attempts <= 1 if client_is_quick else attempts == 1, "one attempt is enough"

    def reach_the_end(self):
        """The sign-in ends by itself."""
        self.pass_until(self.ends - 30 * SECOND)
        self.move(self.ends + 2 * SECOND - self.clock.now())
        self.ended_at = self.ends

    def ended_by_an_admin(self):
        """The sign-in ends out of the blue."""
        self.ended_at = self.clock.now()
        assert self.machine.simulator.end_session() == 1

    def nobody_comes(self, length):
        """Only a person can help, and takes a while."""
        self.look()
        self.pass_until(self.clock.now() + self.row.scaled(length))
        assert self.machine.corp()["state"] == "login_required"
        assert not any(self.call(may_fail=True)), "a harmless end proves nothing"

    def sign_in(self):
        """A person signs in; the AWS CLI goes on with its registration."""
        self.write_sign_in(client_id=json.loads(self.machine.token_file.read_text())["clientId"])
        self.excused.append((self.ended_at, self.clock.now()))
        self.ended_at = None
        self.look()

    def write_sign_in(self, **arguments):
        self.ends = self.clock.now() + self.row.scaled(8 * HOUR)
        self.tokens.add(self.machine.sign_in(**arguments)["accessToken"])
        self.sign_ins += 1

    def start_client(self):
        """A new process, in place of the one that was."""
        if self.steps:
            self.client.kill()
            self.figures["restarts"] += 1
        self.client = self.machine.start_client(self.command, **self.environ)

    # What must be true

    def look(self):
        """Now, and when the watcher is at rest."""
        self.call(may_fail=self.ended_at is not None)
        self.rest()
        self.call(may_fail=self.ended_at is not None)

    def call(self, *, may_fail=False):
        """Each profile once; whether it worked."""
        answers = [self.client.call(profile) for profile in self.row.profiles]
        for profile, said in zip(self.row.profiles, answers, strict=True):
            self.figures["calls"] += 1
            if not said.ok:
                assert may_fail, f"{profile}, {self.clock.now() - self.began} after the morning: {said}"
                self.figures[f"excused {said.error}"] += 1
        return [said.ok for said in answers]

    def rest(self):
        """Until nothing is due or under way, and the watcher says what is true."""

        def at_rest(corp):
            renew_at = corp["renew_at"] and moment(corp["renew_at"])
            busy = (
                self.ticks.count == self.ticked
                or renews(self.machine.watcher)
                or (renew_at and renew_at <= self.clock.now() + MARGIN)
            )
            said = (corp["state"], corp["problem"] and corp["problem"]["code"], corp["renews_silently"])
            return not busy and said in self.truths(learned=corp["ends_at_source"] == "learned")

        corp = self.machine.until(at_rest, f"at rest, and the watcher says one of {self.truths()}")
        self.due = corp["renew_at"] and moment(corp["renew_at"])
        if corp["state"] == "login_required":
            assert corp["good_until"] is None
        elif corp["state"] == "valid" and not self.ended_at and corp["ends_at_source"] == "assumed":
            assert abs(moment(corp["good_until"]) - self.ends) < MINUTE  # the watcher takes a while to start
        self.tokens.add(json.loads(self.machine.token_file.read_text())["accessToken"])

    def truths(self, *, learned=False):
        """What the watcher may say now: state, problem, whether it renews silently.

        `learned`: it goes by the day's earlier ends, some of which came before their time, so it may warn early.
        """
        now = self.clock.now()
        if self.ended_at:
            # That a sign-in has ended is told by a refused renewal, and by nothing before: an end that was assumed and
            # has passed counts as a wrong assumption until then.
            noticed = self.due is None or self.due <= now
            if noticed:
                return {("login_required", "refused", False)}
            return {("valid", None, True), ("expiring", None, True)} if learned else {("valid", None, True)}
        warned = self.ends - self.row.scaled(15 * MINUTE)
        states = {"valid"} if now < warned else {"expiring"}
        if learned or abs(now - warned) < MARGIN:
            states = {"valid", "expiring"}
        problems = {None}
        if self.outage_since:
            faulty = self.faulty and not self.row.renews_itself
            problems = {"unreachable"} if faulty and now > self.outage_since else {None, "unreachable"}
        return {(state, problem, True) for state in states for problem in problems}

    def close(self):
        self.ticks.close()

    def judge(self):
        """The whole day, by the simulator's log."""
        calls = self.machine.simulator.calls("CreateToken")
        ours = Counter(call.outcome for call in calls if CLIENT_NAME not in call.user_agent)
        theirs = [call for call in calls if CLIENT_NAME in call.user_agent]
        unexcused = [call for call in theirs if not any(begin <= call.at <= end for begin, end in self.excused)]
        print(
            f"{dict(self.figures)}; {self.steps} steps; ssowatch {dict(ours)}; "
            f"the client {dict(Counter(call.outcome for call in theirs))}, {len(unexcused)} unexcused"
        )
        lives = (self.clock.now() - self.began) / self.row.token_life
        assert lives > 23.9
        assert self.sign_ins == 4
        assert ours["ok"] <= 2 + 2 * lives, "the law of the calls"
        if self.row.renews_itself:
            return
        assert unexcused == []
        assert ours["ok"] >= 25
        given = [call for call in calls if call.outcome == "ok"]
        assert len(given) == len(self.tokens) - self.sign_ins, "each renewal gave one token, which came into the file"


def renews(watcher):
    """Whether a renewal child runs."""
    children = Path(f"/proc/{watcher.pid}/task/{watcher.pid}/children").read_text().split()
    return any(b"\0refresh\0" in commandline(pid) for pid in children)


def commandline(pid):
    """Of a process that may be gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.mark.parametrize(
    ("machine", "row"), [pytest.param(row.portal(), row, id=name) for name, row in ROWS.items()], indirect=["machine"]
)
def test_a_day(machine, row):
    with contextlib.closing(Day(machine, row)) as day:
        live(day)


def live(day):
    """What happens, in order."""
    day.begin()
    day.pass_until(day.at(1))
    day.outage()
    day.pass_until(day.at(3))
    day.suspend(70 * MINUTE, client_is_quick=True)
    day.reach_the_end()
    day.nobody_comes(45 * MINUTE)
    day.sign_in()
    day.pass_until(day.at(10))
    day.suspend(200 * MINUTE)
    day.pass_until(day.at(13.75))
    day.ended_by_an_admin()
    day.nobody_comes(45 * MINUTE)
    day.sign_in()
    day.reach_the_end()
    day.nobody_comes(45 * MINUTE)
    day.sign_in()
    day.pass_until(day.at(24))
    day.judge()
