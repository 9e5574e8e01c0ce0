"""Thirty days of a person and an agent on an 8 hour portal: with ssowatch, and with what people do without it.

    python tests/thirty_days.py        prints the table of docs/forecast.md

Everything is the real thing but time, which is passed in: the planner, the memories and the forecast of ssowatch; the
simulated Identity Center, whose tokens die with their sign-in (nobody outside AWS knows; it is the harsher guess).

The person works from 9 to 18 on weekdays, with a lunch at an idle screen, calls AWS every 7 minutes, and does what is
asked: presses the first button of a notice after 3 minutes, signs in within one. An agent calls every 10 minutes, day and
night. Programs fetch their role keys anew at each call: those that keep them notice each end up to an hour later.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from ssowatch import memory, notice_text, planner, tokenfile
from ssowatch.demo.center.identity_center import IdentityCenter
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.settings import Settings
from ssowatch.model import (
    Button,
    Cause,
    Day,
    Kind,
    Memory,
    Notice,
    Plan,
    Policy,
    Presence,
    Renewal,
    SignIn,
    Surroundings,
    Tab,
    Token,
    TokenFile,
)
from ssowatch.problems import FRESH

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev",))
SIGNING_IN = MINUTE
"""From the tab to the token, with a person at the screen."""
SEEING = 3 * MINUTE
"""From a notice to its button."""
WAITS = 3 * MINUTE
"""How long a program that runs `aws sso login` by itself waits for it."""


@dataclass
class Month:
    """One regime, day after day. What differs between regimes is what a call that fails leads to."""

    days: int = 30
    center: IdentityCenter = field(default_factory=lambda: IdentityCenter(Settings(session_length=8 * HOUR)))
    seed: int = 1
    errors: dict[str, int] = field(default_factory=lambda: {"person": 0, "agent": 0})
    calls: dict[str, int] = field(default_factory=lambda: {"person": 0, "agent": 0})
    tabs: list[datetime] = field(default_factory=list)
    tabs_unseen: int = 0
    """At a locked or idle screen."""
    blocked: timedelta = timedelta()
    """How long the person waited or did without, while at work."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.now = MONDAY + 8 * HOUR
        self.end = MONDAY + self.days * DAY
        self.document: dict[str, Any] = {}
        self.token: Token | None = None
        self.failing_since: datetime | None = None
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    # time

    def at(self, moment: datetime, then: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), then))

    def run(self) -> Month:
        """Live it."""
        self.arrivals = []
        for number in range(self.days):
            midnight = MONDAY + number * DAY
            if midnight.weekday() < 5:
                self.arrivals.append(midnight + 9 * HOUR + self.rng.uniform(0, 10) * MINUTE)
                self.at(self.arrivals[-1] + 20 * SECOND, self.came)
                self.at(midnight + 13 * HOUR + 20 * SECOND, self.came)
        self.every(7 * MINUTE, "person")
        self.every(10 * MINUTE, "agent")
        while self._events and self._events[0][0] < self.end:
            self.now, _, then = heapq.heappop(self._events)
            then()
        return self

    def every(self, span: timedelta, who: str) -> None:
        def call() -> None:
            self.at(self.now + span, call)
            if who == "agent" or self.presence() is Presence.PRESENT:
                self.calls[who] += 1
                self.call(who)

        self.at(self.now, call)

    def presence(self) -> Presence:
        """The person's working hours."""
        clock = self.now - self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        if not any(arrived <= self.now < arrived.replace(hour=18, minute=0) for arrived in self.arrivals):
            return Presence.LOCKED
        return Presence.IDLE if 12.25 * HOUR <= clock < 13 * HOUR else Presence.PRESENT

    # the token

    def create_token(self) -> bool:
        """A renewal; False: AWS refused."""
        asked = {key: self.document[key] for key in ("clientId", "clientSecret", "refreshToken")}
        try:
            answer = self.center.call("CreateToken", {**asked, "grantType": "refresh_token"}, self.now)
        except Refusal:
            return False
        content, self.token = tokenfile.renewed(
            self.document,
            access_token=str(answer["accessToken"]),
            expires_at=self.now + timedelta(seconds=int(answer["expiresIn"])),
            refresh_token=str(answer["refreshToken"]),
        )
        self.document = json.loads(content)
        return True

    def works(self) -> bool:
        """Whether AWS takes the token."""
        try:
            self.center.call("ListAccounts", {"accessToken": self.document.get("accessToken")}, self.now)
        except Refusal:
            return False
        return True

    def sign_in(self) -> None:
        """A person signs in."""
        self.document = self.center.sign_in(self.now)
        self.token = tokenfile.parse(json.dumps(self.document).encode()).token
        if self.failing_since:
            self.blocked += self.now - self.failing_since
            self.failing_since = None

    def tab(self) -> None:
        self.tabs.append(self.now)
        self.tabs_unseen += self.presence() is not Presence.PRESENT

    def failed(self, who: str) -> None:
        if who == "person" and self.failing_since is None:
            self.failing_since = self.now

    def came(self) -> None:
        """The person is back at the screen."""

    def call(self, who: str) -> None:
        """A call to AWS."""
        raise NotImplementedError


class Plain(Month):
    """boto3 alone; whoever meets an error runs `aws sso login`."""

    logging_in = False

    def call(self, who: str) -> None:
        if self.sdk():
            return
        self.errors[who] += 1
        self.failed(who)
        if who == "person" and not self.logging_in:
            self.logging_in = True
            self.at(self.now + MINUTE, self.login)  # which profile was it? the command, the tab

    def sdk(self) -> bool:
        """What botocore does at a call: it renews a token that has less than 15 minutes left."""
        if self.token and self.token.expires_at - self.now < 15 * MINUTE:
            self.create_token()
        return self.works()

    def login(self) -> None:
        self.tab()
        self.at(self.now + SIGNING_IN, self.logged_in)

    def logged_in(self) -> None:
        self.logging_in = False
        self.sign_in()


class AuthRefresh(Plain):
    """A command such as `awsAuthRefresh`: each program that fails runs `aws sso login` itself, and tries once more."""

    def call(self, who: str) -> None:
        if self.sdk():
            return
        self.failed(who)
        self.tab()
        if self.presence() is Presence.PRESENT:
            self.at(self.now + SIGNING_IN, self.sign_in)
        else:
            self.at(self.now + WAITS, lambda: self.late(who))

    def late(self, who: str) -> None:
        self.errors[who] += not self.works()


class Poller(Plain):
    """A daemon that looks every 60 s and renews at 5 minutes left; refused, it opens a tab, every 10 minutes at most."""

    opened_at: datetime | None = None

    def run(self) -> Month:
        self.at(self.now, self.poll)
        return super().run()

    def poll(self) -> None:
        self.at(self.now + MINUTE, self.poll)
        if self.token and self.token.expires_at - self.now > 5 * MINUTE:
            return
        if self.token and self.create_token():
            return
        if self.opened_at is None or self.now - self.opened_at >= 10 * MINUTE:
            self.opened_at = self.now
            self.tab()
            if self.presence() is Presence.PRESENT:
                self.at(self.now + SIGNING_IN, self.sign_in)


@dataclass(frozen=True)
class Asked:
    """A notice that the person saw."""

    at: datetime
    cause: Cause
    title: str
    source: str | None
    buttons: tuple[Button, ...]


@dataclass
class Ended:
    """An end that came by itself, and what was said before."""

    at: datetime
    announced_at: datetime | None
    at_the_screen: bool
    said: bool
    """That a fresh sign-in did not move it."""


@dataclass
class Ssowatch(Month):
    """ssowatch, and programs that run through its wrapper: a call that fails is held and made again."""

    policy: Policy = field(default_factory=Policy)
    asked: list[Asked] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    held: dict[str, list[timedelta]] = field(default_factory=lambda: {"person": [], "agent": []})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.known = Memory()
        self.waiting: list[tuple[datetime, str]] = []
        self.wake_at: datetime | None = None
        self.open: Notice | None = None
        self.announced_at: datetime | None = None
        self.at(self.now, self.tick)

    # the watcher

    def around(self) -> Surroundings:
        begins = (self.now - 5 * HOUR).replace(hour=5, minute=0, second=0, microsecond=0)
        day = Day(begins, begins + DAY, begins + 26 * HOUR)
        return Surroundings(self.presence(), held=True, day=day)

    def plan(self) -> Plan:
        if self.token:
            self.known = memory.observed(self.known, CORP, self.token, self.now)
        plan = planner.plan(CORP, TokenFile(self.token), self.known, self.policy, self.around(), self.now)
        self.known = plan.memory
        return plan

    def tick(self) -> None:
        plan = self.plan()
        for action in plan.actions:
            match action:
                case Renewal():
                    self.renew()
                    self.at(self.now + SECOND, self.tick)
                case Notice():
                    self.show(action, plan)
                case Tab():
                    self.tab()
                    self.at(self.now + SIGNING_IN, self.signed_in)
        if plan.cause is None or (self.open and plan.cause is not self.open.cause and not plan.actions):
            self.open = None
        if plan.wake_at and plan.wake_at != self.wake_at:
            self.wake_at = plan.wake_at
            self.at(plan.wake_at, self.tick)

    def renew(self) -> None:
        assert self.token
        self.known = memory.begun(self.known, self.token, self.now, self.rng.random())
        if self.create_token():
            life = self.token.expires_at - self.now
            self.known = memory.renewed(self.known, CORP, self.token, life, self.now, timedelta())
            return
        self.known = memory.refused(self.known, "ended", "invalid_grant", self.now, alive=False, skew=timedelta())
        around = self.around()
        problem = planner.plan(CORP, TokenFile(self.token), self.known, self.policy, around, self.now).problem
        said = problem is not None and "did not move the end" in problem.message
        self.ends.append(Ended(self.now, self.announced_at, self.presence() is Presence.PRESENT, said))

    # the person

    def show(self, notice: Notice, plan: Plan) -> None:
        self.open = notice
        title, _ = notice_text.title_and_message(CORP, plan, notice.cause, self.now)
        self.asked.append(Asked(self.now, notice.cause, title, plan.ends_at_source, notice.buttons))
        if notice.cause is Cause.ENDING:
            self.announced_at = self.now
        self.at(self.now + SEEING, lambda: self.press(notice))

    def press(self, notice: Notice) -> None:
        if self.open is not notice or self.presence() is not Presence.PRESENT:
            return
        self.open = None
        match notice.buttons[0]:
            case Button.FRESH:
                self.tab()
                self.at(self.now + SIGNING_IN, self.signed_in_afresh)
            case Button.SIGN_IN:
                self.tab()
                self.at(self.now + SIGNING_IN, self.signed_in)
            case Button.WHEN_IT_ENDS:
                self.known = memory.when_it_ends(self.known)

    def came(self) -> None:
        """What was not answered yesterday is still on the screen."""
        self.tick()
        if self.open:
            notice = self.open
            self.at(self.now + SEEING, lambda: self.press(notice))

    def signed_in_afresh(self) -> None:
        assert self.token
        if self.works():
            self.center.call("Logout", {"accessToken": self.document["accessToken"]}, self.now)
            self.known = memory.refused(
                self.known, FRESH, "ended for a fresh one", self.now, alive=False, skew=timedelta()
            )
        self.signed_in()

    def signed_in(self) -> None:
        self.sign_in()
        assert self.token
        life = self.token.expires_at - self.now
        self.known = memory.signed_in(self.known, CORP, self.token, life, self.now, timedelta(), None)
        self.open = self.announced_at = None
        for since, who in self.waiting:
            self.held[who].append(self.now - since)
        self.waiting.clear()
        self.tick()

    # the programs

    def call(self, who: str) -> None:
        if self.works():
            return
        self.failed(who)
        self.waiting.append((self.now, who))
        if self.token and not self.known.token.refused:  # the wrapper asks for a renewal, as `ensure` does
            self.renew()
            if self.works():
                self.waiting.pop()
                self.failing_since = None
        else:
            self.known = memory.asked(self.known, self.now)
        self.tick()

    # what is claimed

    def interruptions(self) -> dict[str, int]:
        """Per workday: how often the person was asked, the beginning of the day left out."""
        counted = {f"{arrived:%Y-%m-%d}": 0 for arrived in self.arrivals}
        for one in self.asked:
            arrived = max(at for at in self.arrivals if at <= one.at)
            counted[f"{arrived:%Y-%m-%d}"] += one.at > arrived + 15 * MINUTE
        return counted


REGIMES: tuple[tuple[str, type[Month]], ...] = (
    ("boto3, and `aws sso login` after each error", Plain),
    ("a command like `awsAuthRefresh`", AuthRefresh),
    ("a daemon that polls every 60 s", Poller),
    ("ssowatch and its wrapper", Ssowatch),
)


def table(days: int = 30) -> str:
    """Rows of Markdown."""
    lines = [
        "| | errors a person sees | errors the agent sees | tabs (at a locked or idle screen) | minutes the person is blocked |",
        "|---|---|---|---|---|",
    ]
    for name, regime in REGIMES:
        month = regime(days=days).run()
        minutes = round(month.blocked / MINUTE)
        lines.append(
            f"| {name} | {month.errors['person']} | {month.errors['agent']} | {len(month.tabs)} ({month.tabs_unseen}) | {minutes} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
