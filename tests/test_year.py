"""A simulated year: planner, timing and memory against the simulated Identity Center, on a clock that is passed in.

The machine sleeps and wakes, networks and Identity Center fail, the clock is set forward and back, other programs
renew, admins end sessions, a person signs in again some time after each end. What must hold: **no second in which the
token was expired although machine, network, Identity Center and sign-in were all up for longer than one heartbeat,
the back-off cap and one attempt.** And nothing is called refused while its sign-in lives.

Time here is *true* time, the server's. The machine's clock is `true + offset`. Timers count awake time only, as Linux's
CLOCK_MONOTONIC does. On some machines the kernel tells of a resume and of a set clock, and the heart beats slowly; on the
others only the heartbeat helps.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import heartbeat, memory, planner, tokenfile
from ssowatch.demo.center.identity_center import IdentityCenter
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import RefreshTokens, Settings
from ssowatch.model import Kind, Memory, Policy, Presence, Renewal, SignIn, State, Surroundings, Token, TokenFile

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
HEARTBEAT, CAP, ATTEMPT = heartbeat.QUICK, timedelta(seconds=30), timedelta(seconds=20)
BOUND = HEARTBEAT + CAP + ATTEMPT
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev",))
NEVER = START + 100 * YEAR


def some(rng: random.Random, low: float, high: float) -> timedelta:
    return timedelta(seconds=rng.uniform(low, high))


def about(rng: random.Random, mean: timedelta) -> timedelta:
    return mean * rng.expovariate(1.0)


@dataclass
class Life:
    """One machine, one sign-in, one year."""

    rng: random.Random
    center: IdentityCenter
    policy: Policy
    told: bool
    """The kernel tells of a resume and of a set clock, so the heartbeat is the slow one."""
    now: datetime = START
    offset: timedelta = timedelta()
    awake: bool = True
    network: bool = True
    oidc: bool = True
    known: Memory = field(default_factory=Memory)
    document: dict[str, str] = field(default_factory=dict)
    token: Token = field(init=False)
    session: Session = field(init=False)
    expires: datetime = START
    """When the token truly ends."""
    up_since: datetime = START
    wake: timedelta | None = None
    """What is left of the timer, in awake time."""
    look_at: datetime = NEVER
    """The next heartbeat that matters."""
    answer_at: datetime = NEVER
    """When the attempt in flight will have failed."""
    person_at: datetime = NEVER
    worst: timedelta = timedelta()
    calls: int = 0
    ends: int = 0
    refused_early: int = 0
    """Refusals while the sign-in lived: there must be none."""

    # the world

    def signed_in(self) -> bool:
        registered = self.token.registration_expires_at > self.now + self.offset
        return registered and self.session.lives(self.now)

    def person_signs_in(self) -> None:
        self.person_at = NEVER
        if not self.awake:
            self.person_at = self.now + timedelta(hours=1)
            return
        self.document = self.center.sign_in(self.now)
        local = self.now + self.offset + (self.center.settings.token_life)
        self.document["expiresAt"] = tokenfile.stamp(local)  # clients write by the machine's clock
        self.document["registrationExpiresAt"] = tokenfile.stamp(self.now + self.offset + timedelta(days=90))
        self.expires = self.now + self.center.settings.token_life
        self.session = self.center.living(self.now)[0]
        self.token = tokenfile.parse(json.dumps(self.document).encode()).token
        self.file_changed()

    def another_program_renews(self) -> None:
        if self.awake and self.network and self.oidc and self.signed_in():
            self.write(self.create_token())
            self.file_changed()

    def create_token(self) -> dict[str, object]:
        asked = {
            "grantType": "refresh_token",
            "clientId": self.document["clientId"],
            "clientSecret": self.document["clientSecret"],
            "refreshToken": self.document["refreshToken"],
        }
        self.calls += 1
        return self.center.call("CreateToken", asked, self.now)

    def write(self, answer: dict[str, object]) -> timedelta:
        life = timedelta(seconds=float(str(answer["expiresIn"])))
        content, self.token = tokenfile.renewed(
            self.document,
            access_token=str(answer["accessToken"]),
            expires_at=self.now + self.offset + life,
            refresh_token=answer["refreshToken"] and str(answer["refreshToken"]),
        )
        self.document = json.loads(content)
        self.expires = self.now + life
        return life

    def file_changed(self) -> None:
        """A file event; one in five is lost, and the heartbeat makes it good."""
        heart = (heartbeat.SLOW if self.told else HEARTBEAT).total_seconds()
        late = timedelta() if self.rng.random() < 0.8 else some(self.rng, 0, heart)
        self.look_at = min(self.look_at, self.now + late)

    def clock_jumped(self) -> None:
        self.look_at = self.now if self.told else min(self.look_at, self.now + some(self.rng, 0, 30))

    # the watcher

    def tick(self) -> None:
        local = self.now + self.offset
        token = self.token
        self.known = memory.observed(self.known, CORP, token, local)
        plan = planner.plan(CORP, TokenFile(token), self.known, self.policy, Surroundings(Presence.UNKNOWN), local)
        self.known = plan.memory
        if Renewal() in plan.actions and self.answer_at == NEVER:
            self.known = memory.begun(self.known, token, local, self.rng.random())
            if not (self.network and self.oidc):
                self.answer_at = self.now + some(self.rng, 0, ATTEMPT.total_seconds())
            else:
                alive = self.signed_in()
                try:
                    life = self.write(self.create_token())
                    self.known = memory.renewed(self.known, CORP, self.token, life, local, timedelta())
                except Refusal:
                    self.refused_early += alive
                    self.known = memory.refused(
                        self.known, "ended", "invalid_grant", local, alive=False, skew=timedelta()
                    )
            plan = planner.plan(
                CORP, TokenFile(self.token), self.known, self.policy, Surroundings(Presence.UNKNOWN), local
            )
        if plan.state is State.LOGIN_REQUIRED and self.person_at == NEVER:
            self.ends += 1
            self.person_at = self.now + some(self.rng, 5, 3 * 3600)
        self.wake = plan.wake_at - local if plan.wake_at else None

    def attempt_failed(self) -> None:
        self.answer_at = NEVER
        self.known = memory.failed(self.known, self.token, "cannot connect", self.now + self.offset, self.rng.random())
        self.tick()

    # the oracle

    def check(self) -> None:
        if self.awake and self.network and self.oidc and self.signed_in():
            expired = self.now - max(self.up_since, self.expires)
            self.worst = max(self.worst, expired)
            assert expired <= BOUND, f"expired for {expired} at {self.now}, {self.known}"
        else:
            self.up_since = self.now


def live(life: Life) -> Life:
    rng = life.rng
    after = {
        "sleep": timedelta(hours=9),
        "network": timedelta(hours=11),
        "oidc": timedelta(days=3),
        "clock": timedelta(days=4),
        "other": timedelta(days=2),
        "admin": timedelta(days=12),
    }
    due = {kind: START + about(rng, mean) for kind, mean in after.items()}
    life.person_signs_in()
    while life.now < START + YEAR:
        timer = life.now + life.wake if life.wake is not None and life.awake else NEVER
        looks = life.look_at if life.awake else NEVER
        answer = life.answer_at if life.awake else NEVER
        kind, upcoming = min(due.items(), key=lambda one: one[1])
        then = min(upcoming, timer, looks, answer, life.person_at)
        if life.awake and life.wake is not None:
            life.wake = max(life.wake - (then - life.now), timedelta())
        # The oracle looks just before anything changes, and once more at each end of a sign-in.
        if life.now < life.session.ends_at < then and life.session.lives(life.now):
            life.now = life.session.ends_at - timedelta(microseconds=1)
            life.check()
        life.now = then
        life.check()
        if then == upcoming:
            happen(life, kind, due, after)
        elif then == life.person_at:
            life.person_signs_in()
        elif then == answer:
            life.attempt_failed()
        else:
            if then == looks:
                life.look_at = NEVER
            life.wake = None
            life.tick()
        life.check()
    return life


def happen(life: Life, kind: str, due: dict[str, datetime], after: dict[str, timedelta]) -> None:
    rng = life.rng
    due[kind] = life.now + about(rng, after[kind])
    match kind:
        case "sleep":
            life.awake = not life.awake
            if life.awake:
                life.up_since = life.now
                life.clock_jumped()
            else:
                life.answer_at = min(life.answer_at, life.now) if life.answer_at != NEVER else NEVER
                due[kind] = life.now + some(rng, 300, 14 * 3600)
        case "network":
            life.network = not life.network
            if life.network:
                life.up_since = life.now
                if life.awake and rng.random() < 0.5:  # the other half of the announcements is lost
                    life.known = memory.nudged(life.known, life.now + life.offset)
                    life.tick()
            else:
                due[kind] = life.now + some(rng, 10, 3 * 3600)
        case "oidc":
            life.oidc = not life.oidc
            if life.oidc:
                life.up_since = life.now
            else:
                due[kind] = life.now + some(rng, 60, 2 * 3600)
        case "clock":
            step = some(rng, -6 * 3600, 6 * 3600) if rng.random() < 0.7 else -life.offset
            life.offset += step
            if step < timedelta(seconds=-60):  # what the watcher does when it sees the step
                life.known = memory.doubted(life.known)
            life.clock_jumped()
        case "other":
            life.another_program_renews()
        case "admin":
            life.center.end_session(life.now)


PORTALS = {
    "default": (Settings(), Policy()),
    "15 minute tokens": (Settings(token_life=timedelta(minutes=15)), Policy()),
    "15 minute sign-ins": (
        Settings(token_life=timedelta(minutes=15), session_length=timedelta(minutes=15), short_tail=True),
        Policy(),
    ),
    "90 day sign-ins": (Settings(session_length=timedelta(days=90)), Policy(refresh_before=timedelta(minutes=20))),
    "tail tokens": (Settings(session_length=timedelta(hours=8), short_tail=True), Policy()),
    "no refresh token in the answer": (Settings(refresh_tokens=RefreshTokens.NONE), Policy()),
    "12 hour tokens": (Settings(token_life=timedelta(hours=12), session_length=timedelta(days=7)), Policy()),
}


FAST = ("12 hour tokens",)
"""The others live in the slow lane: a year of hourly tokens is half a minute of this machine's time."""


@pytest.mark.parametrize(
    ("portal", "told"),
    [
        pytest.param(portal, told, marks=() if portal in FAST else pytest.mark.real, id=portal)
        for portal, told in zip(PORTALS, itertools.cycle([True, False]), strict=False)
    ],
)
def test_a_year(portal, told):
    portal_settings, policy = PORTALS[portal]
    life = live(Life(random.Random(portal), IdentityCenter(portal_settings), policy, told))
    assert life.calls > 300  # it did live
    assert life.ends > 3
    assert life.refused_early == 0
