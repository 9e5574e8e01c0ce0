"""The life of one person, some agents and their sign-ins, with ssowatch and with what people do without it.

Everything is the real thing but time, which is passed in: the planner, the memories and the forecast of ssowatch, how its
wrapper reads an answer, what it does next and how long it holds a call (what `ensure` does in between, which is a process
of its own, is retold here); the simulated Identity Center, whose tokens die with their sign-in (nobody outside AWS knows; it is
the harsher guess). `diary.py` says who is at the screen, when the laptop sleeps and when the network is gone.

A person does what is asked: presses the first button of a notice after 3 minutes, signs in within one; where there is no
network, once there is. Programs fetch their role keys anew at each call: those that keep them notice each end up to an hour
later. Under ssowatch no program renews by itself; beside it, all do as botocore does. A call without a network fails
whatever the sign-in; it is not counted.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

from diary import DAY, HOUR, MINUTE, MONDAY, SECOND, Diary

from ssowatch import memory, notice_text, planner, timing, tokenfile
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
    Renewal,
    SignIn,
    Surroundings,
    Tab,
    Token,
    TokenFile,
)
from ssowatch.problems import FRESH
from ssowatch.wrapper import limits, readings, steps
from ssowatch.wrapper.sign_in import SHORT
from ssowatch.wrapper.steps import Step

SIGNING_IN = MINUTE
"""From the tab to the token, with a person at the screen."""
SEEING = 3 * MINUTE
"""From a notice to its button."""
WAITS = 3 * MINUTE
"""How long a program that runs `aws sso login` by itself waits for it."""
HEARTBEAT = 30
"""Seconds within which a resume is noticed."""
SITTING = 10 * MINUTE
"""What a person is asked within so much time is one interruption."""
BEGINNING = 15 * MINUTE
"""Of a day, not counting what it had no network for: who signs in then is not interrupted."""
LOOK = 5 * MINUTE
PERSON = "person"
CLAUDE_CODE, OTHERS = (timedelta(seconds=limits.call_seconds(name, {})) for name in ("claude-code", None))
"""How long a call of an MCP client is held."""
EXPIRED = {"result": {"isError": True, "content": [{"type": "text", "text": "Token has expired and refresh failed"}]}}


@dataclass(frozen=True)
class Program:
    """What calls AWS again and again."""

    name: str
    sign_in: str
    every: timedelta
    patience: timedelta | None = None
    """How long it waits for an answer; None: as long as it takes."""


@dataclass
class Account:
    """One sign-in of the person, at its portal."""

    sign_in: SignIn
    center: IdentityCenter
    document: dict[str, Any] = field(default_factory=dict)
    token: Token | None = None
    known: Memory = field(default_factory=Memory)
    wake_at: datetime | None = None
    open: Notice | None = None
    announced_at: datetime | None = None
    signing_in: bool = False
    opened_at: datetime | None = None
    waiting: list[tuple[datetime, Program]] = field(default_factory=list)

    @classmethod
    def at(cls, name: str, settings: Settings, kind: Kind = Kind.SSO_SESSION) -> Account:
        """A legacy one is called by its start URL, and gets no refresh token."""
        url = f"https://{name}.awsapps.com/start"
        one = SignIn(url if kind is Kind.LEGACY else name, kind, url, "us-east-1", ("dev",))
        return cls(one, IdentityCenter(settings))

    @property
    def name(self) -> str:
        return self.sign_in.name

    def works(self, now: datetime) -> bool:
        """Whether AWS takes the token."""
        try:
            self.center.call("ListAccounts", {"accessToken": self.document.get("accessToken")}, now)
        except Refusal:
            return False
        finally:
            self.center.calls.clear()
        return True

    def create_token(self, now: datetime) -> bool:
        """A renewal; False: AWS refused."""
        asked = {key: self.document.get(key) for key in ("clientId", "clientSecret", "refreshToken")}
        try:
            answer = self.center.call("CreateToken", {**asked, "grantType": "refresh_token"}, now)
        except Refusal:
            return False
        content, self.token = tokenfile.renewed(
            self.document,
            access_token=str(answer["accessToken"]),
            expires_at=now + timedelta(seconds=int(answer["expiresIn"])),
            refresh_token=str(answer["refreshToken"]),
        )
        self.document = json.loads(content)
        return True

    def signed_in(self, now: datetime) -> None:
        """A person signs in."""
        self.document = self.center.sign_in(now, refreshable=self.sign_in.kind is Kind.SSO_SESSION)
        self.token = tokenfile.parse(json.dumps(self.document).encode()).token


@dataclass
class Life:
    """One regime, day after day. What differs between regimes is what a call that fails leads to."""

    diary: Diary
    accounts: list[Account]
    programs: list[Program]
    rng: random.Random
    errors: list[tuple[datetime, Program]] = field(default_factory=list)
    calls: int = 0
    tabs: list[datetime] = field(default_factory=list)
    tabs_unseen: int = 0
    """With nobody at the screen."""
    acts: list[datetime] = field(default_factory=list)
    """When the person was drawn from their work."""
    blocked: timedelta = timedelta()
    """How long the person waited or did without, while at work."""
    exposed: timedelta = timedelta()
    """How long a token that AWS takes lay there with nobody present."""

    def __post_init__(self) -> None:
        self.now = MONDAY
        self.end = MONDAY + self.diary.days * DAY
        self.of = {one.name: one for one in self.accounts}
        self.failing_since: dict[str, datetime] = {}
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    # time

    def at(self, moment: datetime, then: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), then))

    def run(self) -> Life:
        """Live it. Tokens come from the seed, too: the jitter of a renewal is drawn from its token."""
        self.begin()
        with mock.patch.object(secrets, "token_urlsafe", self._drawn):
            while self._events and self._events[0][0] < self.end:
                self.now, _, then = heapq.heappop(self._events)
                then()
        return self

    def _drawn(self, _: int) -> str:
        return f"{self.rng.getrandbits(128):032x}"

    def begin(self) -> None:
        """What is known to come."""
        for begin, _ in self.diary.present.all:
            self.at(begin + 20 * SECOND, self.came)
        for _, end in self.diary.asleep.all:
            self.at(end + self.rng.uniform(0, HEARTBEAT) * SECOND, self.resumed)
        for end in self.diary.announced:
            self.at(end, self.resumed)
        for number, program in enumerate(self.programs):
            self.at(self.diary.arrivals[0] - HOUR + number * MINUTE, lambda program=program: self.turn(program))
        self.at(self.now, self.look)

    def turn(self, program: Program) -> None:
        """A program's next call."""
        self.at(self.now + program.every, lambda: self.turn(program))
        spans = self.diary.present if program.name == PERSON else self.diary.jobs
        if self.now not in spans or self.now in self.diary.asleep or self.now in self.diary.offline:
            return
        self.calls += 1
        self.call(program, self.of[program.sign_in])

    def look(self) -> None:
        self.at(self.now + LOOK, self.look)
        if not self.present and any(one.works(self.now) for one in self.accounts):
            self.exposed += LOOK

    @property
    def present(self) -> bool:
        return self.now in self.diary.present

    @property
    def online(self) -> bool:
        return self.now not in self.diary.offline and self.now not in self.diary.asleep

    # what happens

    def signed_in(self, one: Account) -> None:
        one.signed_in(self.now)
        if since := self.failing_since.pop(one.name, None):
            self.blocked += self.now - since

    def tab(self, *, pressed: bool = False) -> None:
        """One opens; `pressed`: by a button, to whoever was interrupted by its notice."""
        self.tabs.append(self.now)
        self.tabs_unseen += not self.present
        if self.present and not pressed:
            self.acts.append(self.now)

    def failed(self, program: Program, one: Account) -> None:
        if program.name == PERSON:
            self.failing_since.setdefault(one.name, self.now)

    def error(self, program: Program) -> None:
        """The client sees it."""
        self.errors.append((self.now, program))

    def came(self) -> None:
        """The person is back at the screen."""

    def resumed(self) -> None:
        """The laptop is awake again, or its network is back."""

    def call(self, program: Program, one: Account) -> None:
        """A call to AWS."""
        raise NotImplementedError

    # what is counted

    def by_day(self) -> int:
        return sum(at in self.diary.work for at, _ in self.errors)

    def by_night(self) -> int:
        return len(self.errors) - self.by_day()

    def interruptions(self) -> dict[str, int]:
        """Per workday; what comes soon after another one is the same, and the beginning of the day is none."""
        counted = {f"{arrived:%Y-%m-%d}": 0 for arrived in self.diary.arrivals}
        last = MONDAY
        for at in sorted(self.acts):
            arrived = max(one for one in self.diary.arrivals if one <= at)
            begun = at - arrived - self.diary.offline.within(arrived, at) <= BEGINNING
            counted[f"{arrived:%Y-%m-%d}"] += not begun and at - last > SITTING
            last = at
        return counted


class Plain(Life):
    """boto3 alone; a person who sees an error, an agent's too, runs `aws sso login`."""

    def call(self, program: Program, one: Account) -> None:
        if self.sdk(one):
            return
        self.error(program)
        self.failed(program, one)
        if self.present and not one.signing_in:
            one.signing_in = True
            self.at(self.now + MINUTE, lambda: self.login(one))  # which profile was it? the command, the tab

    def sdk(self, one: Account) -> bool:
        """What botocore does at a call: it renews a token that has less than 15 minutes left."""
        if one.token and one.token.refreshable and one.token.expires_at - self.now < 15 * MINUTE:
            one.create_token(self.now)
        return one.works(self.now)

    def login(self, one: Account) -> None:
        if not (self.online and self.present):
            self.at(self.now + MINUTE, lambda: self.login(one))
            return
        self.tab()
        self.at(self.now + SIGNING_IN, lambda: self.logged_in(one))

    def logged_in(self, one: Account) -> None:
        one.signing_in = False
        self.signed_in(one)


class AuthRefresh(Plain):
    """A command such as `awsAuthRefresh`: each program that fails runs `aws sso login` itself, and tries once more."""

    def call(self, program: Program, one: Account) -> None:
        if self.sdk(one):
            return
        self.failed(program, one)
        self.tab()
        if self.present:
            self.at(self.now + SIGNING_IN, lambda: self.signed_in(one))
        else:
            self.at(self.now + WAITS, lambda: self.late(program, one))

    def late(self, program: Program, one: Account) -> None:
        if not one.works(self.now):
            self.error(program)


class Poller(Plain):
    """A daemon that looks every 60 s and renews at 5 minutes left; refused, it opens a tab, every 10 minutes at most."""

    def begin(self) -> None:
        super().begin()
        self.at(self.diary.arrivals[0] - HOUR, self.poll)

    def poll(self) -> None:
        self.at(self.now + MINUTE, self.poll)
        if not self.online:
            return
        for one in self.accounts:
            if one.token and one.token.expires_at - self.now > 5 * MINUTE:
                continue
            if one.token and one.token.refreshable and one.create_token(self.now):
                continue
            if one.opened_at is None or self.now - one.opened_at >= 10 * MINUTE:
                one.opened_at = self.now
                self.tab()
                if self.present:
                    self.at(self.now + SIGNING_IN, lambda one=one: self.signed_in(one))


@dataclass(frozen=True)
class Asked:
    """A notice that the person saw."""

    at: datetime
    sign_in: str
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
class Ssowatch(Life):
    """ssowatch, and programs that run through its wrapper: a call that fails is held and made again."""

    policy: Policy = field(default_factory=Policy)
    asked: list[Asked] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    held: dict[str, list[timedelta]] = field(default_factory=dict)
    """By program."""

    def begin(self) -> None:
        super().begin()
        self.at(self.now, self.tick)

    # the watcher

    def around(self, one: Account) -> Surroundings:
        begins = (self.now - 5 * HOUR).replace(hour=5, minute=0, second=0, microsecond=0)
        day = Day(begins, begins + DAY, begins + 26 * HOUR)
        presence = self.diary.presence(self.now)
        return Surroundings(presence, held=True, signing_in=one.signing_in, day=day)

    def plan(self, one: Account) -> Plan:
        if one.token:
            one.known = memory.observed(one.known, one.sign_in, one.token, self.now)
        plan = planner.plan(one.sign_in, TokenFile(one.token), one.known, self.policy, self.around(one), self.now)
        one.known = plan.memory
        return plan

    def tick(self) -> None:
        for one in self.accounts:
            if self.now not in self.diary.asleep:
                self.tick_of(one)

    def tick_of(self, one: Account) -> None:
        plan = self.plan(one)
        for action in plan.actions:
            match action:
                case Renewal():
                    self.renew(one)
                    self.at(self.now + SECOND, self.tick)
                case Notice():
                    self.show(one, action, plan)
                case Tab():
                    self.acts.append(self.now)
                    self.log_in(one, lambda: self.signed_in(one))
        if plan.cause is None or (one.open and plan.cause is not one.open.cause and not plan.actions):
            one.open = None
        if plan.wake_at and plan.wake_at != one.wake_at:
            one.wake_at = plan.wake_at
            self.at(plan.wake_at, self.tick)

    def renew(self, one: Account) -> None:
        assert one.token
        one.known = memory.begun(one.known, one.token, self.now, self.rng.random())
        if not self.online:
            one.known = memory.failed(one.known, one.token, "no network", self.now, self.rng.random())
            return
        if one.create_token(self.now):
            life = one.token.expires_at - self.now
            one.known = memory.renewed(one.known, one.sign_in, one.token, life, self.now, timedelta())
            return
        alive = one.works(self.now)
        one.known = memory.refused(one.known, "ended", "invalid_grant", self.now, alive=alive, skew=timedelta())
        around = self.around(one)
        problem = planner.plan(
            one.sign_in, TokenFile(one.token), one.known, self.policy, around, self.now
        ).problem  # fmt: skip
        said = problem is not None and "did not move the end" in problem.message
        self.ends.append(Ended(self.now, one.announced_at, self.present, said))

    def resumed(self) -> None:
        for one in self.accounts:
            one.known = memory.nudged(one.known, self.now)
        self.tick()

    # the person

    def show(self, one: Account, notice: Notice, plan: Plan) -> None:
        one.open = notice
        self.acts.append(self.now)
        title, _ = notice_text.title_and_message(one.sign_in, plan, notice.cause, self.now)
        self.asked.append(Asked(self.now, one.name, notice.cause, title, plan.ends_at_source, notice.buttons))
        if notice.cause is Cause.ENDING:
            one.announced_at = self.now
        self.at(self.now + SEEING, lambda: self.press(one, notice))

    def press(self, one: Account, notice: Notice) -> None:
        if one.open is not notice or not self.present:
            return
        if not self.online:
            self.at(self.now + MINUTE, lambda: self.press(one, notice))
            return
        one.open = None
        one.known = memory.human_act(one.known)
        match notice.buttons[0]:
            case Button.FRESH:
                self.log_in(one, lambda: self.signed_in_afresh(one))
            case Button.SIGN_IN:
                self.log_in(one, lambda: self.signed_in(one))
            case Button.WHEN_IT_ENDS:
                one.known = memory.when_it_ends(one.known)

    def log_in(self, one: Account, then: Callable[[], None]) -> None:
        self.tab(pressed=True)
        one.signing_in = True
        self.at(self.now + SIGNING_IN, then)

    def came(self) -> None:
        """What was not answered yesterday is still on the screen."""
        for one in self.accounts:
            if memory.cooldown_until(one.known.lineage):
                one.known = memory.back(one.known)
        self.tick()
        for one in self.accounts:
            if notice := one.open:
                self.at(self.now + SEEING, lambda one=one, notice=notice: self.press(one, notice))

    def signed_in_afresh(self, one: Account) -> None:
        assert one.token
        if one.works(self.now):
            one.center.call("Logout", {"accessToken": one.document["accessToken"]}, self.now)
            one.known = memory.refused(
                one.known, FRESH, "ended for a fresh one", self.now, alive=False, skew=timedelta()
            )  # fmt: skip
        self.signed_in(one)

    def signed_in(self, one: Account) -> None:
        super().signed_in(one)
        assert one.token
        one.signing_in = False
        life = one.token.expires_at - self.now
        one.known = memory.signed_in(one.known, one.sign_in, one.token, life, self.now, timedelta(), None)
        one.open = one.announced_at = None
        for since, program in one.waiting:
            self.held.setdefault(program.name, []).append(self.now - since)
        one.waiting.clear()
        self.tick()

    # the programs and their wrapper

    def call(self, program: Program, one: Account) -> None:
        if any(waits is program for _, waits in one.waiting):
            return  # it has not had its last answer yet
        if one.token and one.token.refreshable and one.token.expires_at - self.now < SHORT:
            self.ensured(one)
        worked = one.token is not None and one.token.expires_at > self.now
        if one.works(self.now):
            return
        self.failed(program, one)
        step = steps.next_step(readings.read(EXPIRED), worked=worked, works=worked, same=True)
        assert step in {Step.ENSURE, Step.DOUBT}
        if step is Step.DOUBT and one.token and not one.known.token.refused:  # AWS itself is asked
            self.renew(one)
        elif self.ensured(one) is False:  # the last try failed a moment ago: the next one is waited for
            self.at(one.known.token.retry_at or self.now, lambda: self.asked_again(program, one))
            return
        self.hold(program, one)

    def asked_again(self, program: Program, one: Account) -> None:
        if not self.online:
            return
        if self.ensured(one) is False:
            self.error(program)
            return
        self.hold(program, one)

    def hold(self, program: Program, one: Account) -> None:
        """A person is asked, if it does not work by now."""
        if one.works(self.now):
            self.failing_since.pop(one.name, None)
            return
        if (until := memory.cooldown_until(one.known.lineage)) and until > self.now:
            self.error(program)
            return
        one.known = memory.asked(one.known, self.now)
        one.waiting.append((self.now, program))
        if program.patience:
            self.at(self.now + program.patience, lambda: self.give_up(program, one))
        self.tick()

    def ensured(self, one: Account) -> bool | None:
        """`ensure --login never`: a renewal, where it may work; False: AWS does not answer, None: a person is needed."""
        if one.token is None or one.known.token.refused:
            return None
        if not timing.resting(one.known, one.token, self.now):
            self.renew(one)
        if one.known.token.refused:
            return None
        return one.token.expires_at > self.now

    def give_up(self, program: Program, one: Account) -> None:
        """The client waits no longer; while the laptop slept it did not count."""
        for since, who in one.waiting:
            if who is program and program.patience:
                waited = self.now - since - self.diary.asleep.within(since, self.now)
                if waited < program.patience:
                    self.at(self.now + program.patience - waited, lambda: self.give_up(program, one))
                    return
                one.waiting.remove((since, program))
                self.error(program)
                return


REGIMES: tuple[tuple[str, type[Life]], ...] = (
    ("boto3, and `aws sso login` after each error", Plain),
    ("a command like `awsAuthRefresh`", AuthRefresh),
    ("a daemon that polls every 60 s", Poller),
    ("ssowatch and its wrapper", Ssowatch),
)
