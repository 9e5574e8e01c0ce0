"""One renewal with every race and every weather, by real boto3 against the simulator.

Rules of this file:
1. The clock is a plain value, shared with the simulator; nothing sleeps.
2. What interferes does so at a seam around the real portal: before the call, between call and answer, at the probe.
3. No outcome shows a secret, and no file but the token file and our own state is touched: checked at every renewal.
"""

import contextlib
import ctypes
import functools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from simulator.faults import Fault
from simulator.faults import Kind as Weather
from simulator.server import Simulator

from ssowatch import aws_clients, cache, files, memories, memory, paths, renewal, tokenfile
from ssowatch.identity_center import IdentityCenter
from ssowatch.model import Kind, Memory, Policy, Problem, Renew, SignIn
from ssowatch.renewal import Result

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NAME = "corp"
CORP = SignIn(NAME, Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev",))
EVERY_POLICY = ["same", "rotate", "grace", "revoke", "none"]
SECRETS = ("accessToken", "refreshToken", "clientId", "clientSecret")
DEADLINE = 120.0


def until(true):
    """Wait for it, with a deadline."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Seam:
    """The real portal, with something happening around it."""

    def __init__(self, portal, *, before, after, probing):
        self._portal, self._before, self._after, self._probing = portal, before, after, probing

    def renew(self, contents, now):
        self._before()
        answer = self._portal.renew(contents, now)
        self._after()
        return answer

    def lives(self, contents):
        self._probing()
        return self._portal.lives(contents)


portal_of = functools.cache(IdentityCenter)
"""One per sign-in for all tests: making it is what takes long."""


def nothing():
    pass


def once(act):
    """The first time only."""
    acts = iter([act])

    def first():
        next(acts, nothing)()

    return first


class Desk:
    """A home with a token file from the simulator, and what a test wants to know of it."""

    def __init__(self, home, simulator, clock):
        self.simulator, self.clock = simulator, clock
        self.path = home / f".aws/sso/cache/{paths.key(NAME)}.json"
        self.path.parent.mkdir(parents=True)
        (self.path.parent / "kiro-auth-token.json").write_text(json.dumps(simulator.sign_in(user="another")))
        (self.path.parent / "botocore-client-id-us-east-1.json").write_text("{}")
        self.pauses = []
        self.at_pause = nothing
        self.portal_of = portal_of
        self.secrets = set()
        self.write(simulator.sign_in())

    def write(self, document, **changes):
        document = {name: value for name, value in {**document, **changes}.items() if value is not ...}
        self.path.write_text(json.dumps(document))
        self.secrets |= {document[name] for name in SECRETS if document.get(name)}

    def read(self):
        return json.loads(self.path.read_text())

    def login(self, **changes):
        """A person signs in anew, with another registration: what `aws sso login` writes."""
        self.write(self.simulator.sign_in(), **changes)

    def other_client_renews(self, *, later=True):
        """An SDK renews: same registration, other tokens."""
        answer = portal_of(CORP).renew(cache.load(NAME), self.clock.now)
        life = answer.life if later else answer.life - 5 * MINUTE
        self.write(
            self.read(),
            accessToken=answer.access_token,
            refreshToken=answer.refresh_token or self.read()["refreshToken"],
            expiresAt=tokenfile.stamp(self.clock.now + life),
        )

    def memory(self):
        return memories.load(NAME)

    def tokens_asked_for(self):
        return [call.outcome for call in self.simulator.calls("CreateToken")]

    def around(self):
        """Everything in the cache directory but the token file itself."""
        real = self.path.resolve()
        return {
            item.name: (item.read_bytes(), item.stat().st_mtime_ns, item.stat().st_ino)
            for item in self.path.parent.iterdir()
            if item.name != self.path.name and item.resolve() != real
        }

    def renew(self, sign_in=CORP, policy=None, *, only_due=False, before=nothing, after=nothing, probing=nothing):
        foreign = self.around()

        def pause(seconds):
            self.pauses.append(seconds)
            self.at_pause()

        outcome = renewal.renew(
            sign_in,
            policy or Policy(),
            only_due=only_due,
            portal=lambda own: Seam(self.portal_of(own), before=before, after=after, probing=probing),
            now=self.clock,
            pause=pause,
        )
        assert self.around() == foreign
        if self.path.is_file():
            with contextlib.suppress(ValueError):
                self.secrets |= {self.read()[name] for name in SECRETS if self.read().get(name)}
        shown = f"{outcome}{self.memory()}"
        assert not [secret for secret in self.secrets if secret in shown]
        return outcome


@pytest.fixture(autouse=True)
def _as_it_was():
    """This process, which now looks as if it held tokens, may be looked at again."""
    yield
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def simulator(monkeypatch, home, clock):
    with Simulator(clock) as own:
        for name, value in own.environ.items():
            monkeypatch.setenv(name, value)
        yield own


@pytest.fixture
def desk(home, simulator, clock):
    return Desk(home, simulator, clock)


# Whether a call is made


def test_a_token_is_renewed_and_everything_else_in_the_file_is_kept(desk):
    desk.write(desk.read(), unknown={"kept": True})
    before = desk.read()
    desk.clock.now += 30 * MINUTE
    outcome = desk.renew()
    after = desk.read()
    assert (outcome.result, outcome.token_expires_at) == (Result.RENEWED, NOW + 90 * MINUTE)
    assert outcome.message == "renewed for 60 min"
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"accessToken", "refreshToken", "expiresAt"}
    assert list(after) == list(before)
    assert after["expiresAt"] == "2026-01-05T09:30:00Z"
    assert desk.path.stat().st_mode & 0o777 == 0o600
    known = desk.memory()
    assert (known.token.life, known.token.renewed_at, known.token.attempts) == (HOUR, desk.clock.now, 0)
    assert known.token.fingerprint == memory.mark(CORP, cache.load(NAME).token)
    assert (known.lineage.life, known.lineage.client) == (HOUR, cache.load(NAME).token.client)


@pytest.mark.parametrize(
    ("later", "only_due", "result", "calls"),
    [
        pytest.param(1 * SECOND, False, Result.NOT_DUE, 1, id="typed-after-1-s"),
        pytest.param(59 * SECOND, False, Result.NOT_DUE, 1, id="typed-after-59-s"),
        pytest.param(60 * SECOND, False, Result.RENEWED, 2, id="typed-after-60-s"),
        pytest.param(20 * MINUTE, False, Result.RENEWED, 2, id="typed-long-before-it-is-due"),
        pytest.param(20 * MINUTE, True, Result.NOT_DUE, 1, id="watcher-before-it-is-due"),
        pytest.param(30 * MINUTE, True, Result.RENEWED, 2, id="watcher-when-it-is-due"),
        pytest.param(2 * HOUR, True, Result.RENEWED, 2, id="watcher-after-a-night"),
        pytest.param(-HOUR, False, Result.RENEWED, 2, id="typed-after-the-clock-was-set-back"),
    ],
)
def test_when_the_next_renewal_calls(desk, later, only_due, result, calls):
    assert desk.renew().result is Result.RENEWED
    desk.clock.now += later
    assert desk.renew(only_due=only_due).result is result
    assert desk.tokens_asked_for() == ["ok"] * calls


def test_within_a_minute_a_token_that_ran_out_is_renewed_after_all(desk):
    desk.simulator.change(token_life=10)
    assert desk.renew().result is Result.RENEWED
    desk.clock.now += 11 * SECOND
    assert desk.renew().result is Result.RENEWED


def test_renew_never_is_about_the_watcher_not_about_a_person(desk):
    never = Policy(renew=Renew.NEVER)
    desk.clock.now += 50 * MINUTE
    assert desk.renew(policy=never, only_due=True).result is Result.NOT_DUE
    assert desk.renew(policy=never).result is Result.RENEWED


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"refreshToken": ...}, "no refresh token", id="no-refresh-token"),
        pytest.param({"clientId": ...}, "no refresh token", id="no-client"),
        pytest.param(
            {"registrationExpiresAt": "2026-01-05T07:59:59Z"}, "registration ended", id="registration-expired"
        ),
        pytest.param(
            {"registrationExpiresAt": "2026-01-05T08:00:00Z"}, "registration ended", id="registration-ends-now"
        ),
        pytest.param({"registrationExpiresAt": "0001-01-01T00:00:00Z"}, "registration ended", id="go-zero-time"),
    ],
)
def test_what_cannot_be_renewed_calls_nobody(desk, changes, says):
    desk.write(desk.read(), **changes)
    before = desk.path.read_bytes()
    outcome = desk.renew()
    assert outcome.result is Result.REFUSED
    assert says in outcome.message
    assert desk.renew(only_due=True).result is Result.NOT_DUE
    assert not desk.simulator.calls()
    assert desk.memory().token.attempts == 0
    assert desk.path.read_bytes() == before


@pytest.mark.parametrize(
    "expires_at", ["0001-01-01T00:00:00Z", "2020-01-01T00:00:00UTC", "2026-01-05T08:30:00", 1767600000]
)
def test_whatever_form_the_end_has_a_renewal_writes_it_properly(desk, expires_at):
    desk.write(desk.read(), expiresAt=expires_at)
    assert desk.renew(only_due=True).result is Result.RENEWED
    assert desk.read()["expiresAt"] == "2026-01-05T09:00:00Z"


def test_no_token_and_no_config_call_nobody_and_make_nothing(desk):
    desk.path.unlink()
    outcome = desk.renew()
    assert (outcome.result, outcome.token_expires_at) == (Result.REFUSED, None)
    assert "sign in first" in outcome.message
    broken = SignIn(NAME, Kind.SSO_SESSION, "", "", problem=Problem("misconfigured", "no sso_region"))
    assert desk.renew(broken).message == "no sso_region"
    assert not desk.simulator.calls()
    assert not desk.path.exists()


def test_a_file_that_stays_torn_is_refused_and_left_alone(desk, monkeypatch):
    monkeypatch.setattr(cache, "_LOOK_AGAIN", (0, 0, 0))
    desk.path.write_text('{"accessToken": "aoa')
    outcome = desk.renew()
    assert outcome.result is Result.REFUSED
    assert outcome.message == "the token file is not complete JSON"
    assert not desk.simulator.calls()
    assert desk.path.read_text() == '{"accessToken": "aoa'


def test_a_symlinked_token_file_stays_a_symlink(desk, home):
    real = home / "dotfiles.json"
    desk.path.rename(real)
    desk.path.symlink_to(real)
    assert desk.renew().result is Result.RENEWED
    assert desk.path.is_symlink()
    assert json.loads(real.read_text())["expiresAt"] == "2026-01-05T09:00:00Z"
    assert desk.renew().result is Result.NOT_DUE


# Other programs at the same file


def test_a_renewal_by_another_program_while_we_waited_for_the_lock_is_adopted(desk, monkeypatch):
    """Read, then wait for the lock: the moment between them is where the lock is asked for."""
    desk.clock.now += 31 * MINUTE
    locked, once = files.locked, [desk.other_client_renews]

    def late(path, wait):
        if once and path.endswith(".write"):
            once.pop()()
        return locked(path, wait)

    monkeypatch.setattr(files, "locked", late)
    outcome = desk.renew(only_due=True)
    assert outcome.result is Result.ADOPTED
    assert outcome.token_expires_at == desk.clock.now + HOUR
    assert len(desk.tokens_asked_for()) == 1


@pytest.mark.parametrize("only_due", [True, False])
def test_a_renewal_by_another_program_during_ours_is_adopted_when_ours_is_refused(desk, only_due):
    """Under rotation the first one to come wins; the second one's InvalidGrant is benign."""
    desk.clock.now += 31 * MINUTE
    outcome = desk.renew(only_due=only_due, before=desk.other_client_renews)
    assert outcome.result is Result.ADOPTED
    assert desk.tokens_asked_for() == ["ok", "InvalidGrantException"]
    assert desk.memory().token.refused is None
    assert desk.memory().token.fingerprint == memory.mark(CORP, cache.load(NAME).token)
    assert [call.outcome for call in desk.simulator.calls("ListAccounts")] == ["ok"], "it does not end the sign-in"


@pytest.mark.parametrize("only_due", [True, False])
def test_a_lost_race_that_the_service_takes_for_theft_is_a_refusal(desk, only_due):
    """The reuse ended the sign-in: the other program's token in the file is as dead as ours."""
    desk.simulator.change(refresh_tokens="revoke")
    desk.clock.now += 31 * MINUTE
    outcome = desk.renew(only_due=only_due, before=once(desk.other_client_renews))
    assert outcome.result is Result.REFUSED
    assert desk.tokens_asked_for() == ["ok", "InvalidGrantException", "InvalidGrantException"]
    assert desk.memory().token.fingerprint == memory.mark(CORP, cache.load(NAME).token)
    assert desk.memory().token.alive is False
    assert [call.outcome for call in desk.simulator.calls("ListAccounts")] == ["UnauthorizedException"] * 2


def test_a_race_lost_to_a_token_that_is_not_taken_yet_is_renewed_once_more(desk):
    """A portal that is late to learn of a token is no end of the sign-in: the second renewal tells."""
    desk.clock.now += 31 * MINUTE

    def other_client_renews():
        desk.other_client_renews()
        desk.write(desk.read(), accessToken="not-known-yet")

    outcome = desk.renew(before=once(other_client_renews))
    assert outcome.result is Result.RENEWED
    assert desk.tokens_asked_for() == ["ok", "InvalidGrantException", "ok"]


def test_a_refresh_token_that_another_program_lost_during_ours_is_put_back(desk):
    """AWS may send none anew; SDKs then write a file without one."""
    desk.simulator.change(refresh_tokens="none")
    desk.clock.now += 31 * MINUTE
    kept = desk.read()["refreshToken"]

    def other_client_renews():
        desk.other_client_renews()
        desk.write(desk.read(), refreshToken=...)

    assert desk.renew(before=other_client_renews).result is Result.RENEWED
    assert desk.read()["refreshToken"] == kept
    desk.clock.now += 31 * MINUTE
    assert desk.renew(only_due=True).result is Result.RENEWED


def test_a_sign_in_of_the_same_second_by_the_same_registration_is_left_alone(desk):
    """The file has whole seconds: the new sign-in must not be taken for the shorter-lived one."""
    desk.clock.now += 31 * MINUTE + 0.7 * SECOND
    used = desk.read()
    outcome = desk.renew(before=lambda: desk.write(desk.simulator.sign_in(client_id=used["clientId"])))
    assert outcome.result is Result.ADOPTED


def test_the_winner_may_be_still_writing_when_the_refusal_comes(desk):
    desk.clock.now += 31 * MINUTE
    used = desk.path.read_text()

    def wins_and_writes_later():
        desk.other_client_renews()
        new = desk.path.read_text()
        desk.path.write_text(used)
        desk.at_pause = lambda: desk.path.write_text(new)

    assert desk.renew(before=wins_and_writes_later).result is Result.ADOPTED
    assert desk.pauses == [1.0]


@pytest.mark.parametrize(
    ("interfere", "result"),
    [
        pytest.param(lambda desk: desk.login(), Result.ADOPTED, id="new-login"),
        pytest.param(
            lambda desk: desk.login(expiresAt="2026-01-05T08:00:01Z"), Result.ADOPTED, id="new-login-that-ends-sooner"
        ),
        pytest.param(lambda desk: desk.other_client_renews(), Result.ADOPTED, id="renewed-as-long"),
        pytest.param(lambda desk: desk.other_client_renews(later=False), Result.RENEWED, id="renewed-for-less"),
        pytest.param(lambda desk: desk.write(desk.read(), unknown=1), Result.RENEWED, id="same-token-rewritten"),
        pytest.param(lambda desk: desk.path.write_text('{"acc'), Result.RENEWED, id="torn-and-left"),
        pytest.param(lambda desk: desk.path.write_text(""), Result.RENEWED, id="emptied-and-left"),
    ],
)
def test_what_became_of_the_file_while_the_answer_was_on_its_way(desk, monkeypatch, interfere, result):
    monkeypatch.setattr(cache, "_LOOK_AGAIN", (0, 0, 0))
    desk.simulator.change(refresh_tokens="grace")
    desk.clock.now += 31 * MINUTE
    left = []
    outcome = desk.renew(after=lambda: (interfere(desk), left.append(desk.path.read_bytes())))
    assert outcome.result is result
    contents = cache.load(NAME)
    assert outcome.token_expires_at == contents.token.expires_at
    assert (desk.path.read_bytes() == left[0]) is (result is Result.ADOPTED)
    assert portal_of(CORP).lives(contents) is True


def test_a_rewritten_file_keeps_what_the_other_program_added(desk):
    desk.renew(after=lambda: desk.write(desk.read(), unknown="kept"))
    assert desk.read()["unknown"] == "kept"


def test_a_file_replaced_during_a_slow_call_is_adopted(desk):
    """The same as above without a seam: latency, a thread, and `aws sso login` in between."""
    desk.simulator.add_fault(Fault(Weather.LATENCY, "CreateToken", seconds=DEADLINE))
    came = []
    thread = threading.Thread(target=lambda: came.append(desk.renew()))
    thread.start()
    until(lambda: desk.memory().token.attempts == 1)
    desk.login()
    new = desk.path.read_bytes()
    desk.simulator.clear_faults()
    thread.join(DEADLINE)
    assert [outcome.result for outcome in came] == [Result.ADOPTED]
    assert desk.path.read_bytes() == new


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("ended", [False, True])
def test_a_file_that_vanished_during_the_call_is_not_made_again(desk, when, ended):
    if ended:
        desk.simulator.end_session()
    outcome = desk.renew(**{when: desk.path.unlink})
    assert outcome.result is Result.REFUSED
    assert outcome.token_expires_at is None
    assert "signed out meanwhile" in outcome.message
    assert not desk.path.exists()
    assert desk.memory().token.refused is None


def test_a_directory_that_vanished_during_the_call_is_not_made_again(desk):
    def logout():
        for item in desk.path.parent.iterdir():
            item.unlink()
        desk.path.parent.rmdir()

    real = desk.around
    desk.around = lambda: None
    assert desk.renew(after=logout).result is Result.REFUSED
    desk.around = real
    assert not desk.path.parent.exists()


# Refused


@pytest.mark.parametrize(
    ("prepare", "code", "alive", "says"),
    [
        pytest.param(lambda own: own.end_session(), "ended", False, "has ended", id="session-ended-token-dead"),
        pytest.param(
            lambda own: (own.change(tokens_die_with_session=False), own.end_session()),
            "ended",
            True,
            "has ended",
            id="session-ended-token-alive",
        ),
        pytest.param(
            lambda own: (own.end_session(), own.add_fault(Fault(Weather.INTERNAL_ERROR, "ListAccounts"))),
            "ended",
            None,
            "has ended",
            id="session-ended-probe-unanswered",
        ),
        pytest.param(
            lambda own: (own.end_session(), own.add_fault(Fault(Weather.GARBAGE, "ListAccounts"))),
            "ended",
            None,
            "has ended",
            id="session-ended-probe-absurd",
        ),
        pytest.param(
            lambda own: own.revoke_registrations(), "registration", True, "client registration", id="registration-gone"
        ),
        pytest.param(
            lambda own: own.change(other_region="eu-west-1"), "wrong_region", False, "eu-west-1", id="wrong-region"
        ),
    ],
)
def test_a_refusal_is_kept_with_its_reason_and_whether_the_token_lives(desk, prepare, code, alive, says):
    before = desk.path.read_bytes()
    prepare(desk.simulator)
    outcome = desk.renew()
    assert (outcome.result, outcome.token_expires_at) == (Result.REFUSED, NOW + HOUR)
    assert says in outcome.message
    assert desk.pauses == [1.0]
    assert desk.path.read_bytes() == before
    tried = desk.memory().token
    assert (tried.refused_code, tried.alive, tried.refused) == (code, alive, outcome.message)
    assert [call.operation for call in desk.simulator.calls()] == ["CreateToken", "ListAccounts"]


def test_a_refusal_is_final_for_the_watcher_and_a_person_may_try_again(desk):
    desk.simulator.end_session()
    assert desk.renew().result is Result.REFUSED
    desk.clock.now += 50 * MINUTE
    assert desk.renew(only_due=True).result is Result.NOT_DUE
    desk.clock.now += HOUR
    assert desk.renew(only_due=True).result is Result.NOT_DUE
    assert len(desk.tokens_asked_for()) == 1
    assert desk.renew().result is Result.REFUSED
    assert len(desk.tokens_asked_for()) == 2


def test_a_refusal_that_was_wrong_is_forgotten_once_a_person_tried_again(desk):
    desk.simulator.change(other_region="eu-west-1")
    assert desk.renew().result is Result.REFUSED
    desk.simulator.change(other_region="")
    assert desk.renew().result is Result.RENEWED
    assert desk.memory().token.refused is None


def test_a_new_sign_in_after_a_refusal_is_renewed_again(desk):
    desk.simulator.end_session()
    desk.renew()
    desk.login()
    desk.clock.now += 31 * MINUTE
    assert desk.renew(only_due=True).result is Result.RENEWED
    assert desk.memory().lineage.began_at == desk.clock.now


def test_a_new_sign_in_during_the_probe_is_not_called_refused(desk):
    desk.simulator.end_session()

    def login_seen_by_the_watcher():
        desk.login()
        memories.update(NAME, lambda known: memory.observed(known, CORP, cache.load(NAME).token, desk.clock.now))

    desk.renew(probing=login_seen_by_the_watcher)
    assert desk.memory().token.fingerprint == memory.mark(CORP, cache.load(NAME).token)
    assert desk.memory().token.refused is None


def test_a_new_sign_in_during_a_call_without_answer_is_not_held_back(desk):
    desk.simulator.add_fault(Fault(Weather.INTERNAL_ERROR))

    def login_seen_by_the_watcher():
        desk.login()
        memories.update(NAME, lambda known: memory.observed(known, CORP, cache.load(NAME).token, desk.clock.now))

    desk.renew(after=login_seen_by_the_watcher)
    assert desk.memory().token.fingerprint == memory.mark(CORP, cache.load(NAME).token)
    assert (desk.memory().token.failure, desk.memory().token.retry_at) == (None, None)


# What the answer holds, and answers that get lost


def test_without_a_refresh_token_in_the_answer_the_old_one_is_kept(desk):
    desk.simulator.change(refresh_tokens="none")
    before = desk.read()
    assert desk.renew().result is Result.RENEWED
    assert desk.read()["refreshToken"] == before["refreshToken"]
    assert desk.read()["accessToken"] != before["accessToken"]
    desk.clock.now += 2 * MINUTE
    assert desk.renew().result is Result.RENEWED


LOST = "after an answer that was lost on the way"


@pytest.mark.parametrize("weather", [Weather.RESET_AFTER, Weather.HALF, Weather.MISSING_KEYS])
@pytest.mark.parametrize(
    ("policy", "result", "alive"),
    [
        ("same", Result.RENEWED, None),
        ("grace", Result.RENEWED, None),
        ("none", Result.RENEWED, None),
        ("rotate", Result.REFUSED, True),
        ("revoke", Result.REFUSED, False),
    ],
)
def test_a_lost_answer_is_asked_for_once_more(desk, weather, policy, result, alive):
    desk.simulator.change(refresh_tokens=policy)
    desk.simulator.add_fault(Fault(weather, "CreateToken", count=1))
    before = desk.path.read_bytes()
    outcome = desk.renew()
    assert outcome.result is result
    assert len(desk.tokens_asked_for()) == 2
    assert (LOST in outcome.message) is (result is Result.REFUSED)
    assert (desk.path.read_bytes() == before) is (result is Result.REFUSED)
    assert desk.memory().token.alive is alive


def test_a_request_that_was_reset_before_it_was_seen_is_harmless(desk):
    desk.simulator.add_fault(Fault(Weather.RESET_BEFORE, "CreateToken", count=1))
    assert desk.renew().result is Result.RENEWED
    assert len(desk.tokens_asked_for()) == 2


@pytest.mark.parametrize(
    ("weather", "calls"),
    [
        pytest.param(Weather.DOWN, 0, id="refused-connections"),
        pytest.param(Weather.INTERNAL_ERROR, 1, id="500"),
        pytest.param(Weather.TOO_MANY_REQUESTS, 1, id="429"),
        pytest.param(Weather.SLOW_DOWN, 1, id="slow-down"),
        pytest.param(Weather.RESET_BEFORE, 2, id="reset"),
        pytest.param(Weather.HANG, 2, id="hangs"),
        pytest.param(Weather.GARBAGE, 2, id="garbage"),
        pytest.param(Weather.HALF, 2, id="half"),
        pytest.param(Weather.MISSING_KEYS, 2, id="missing-keys"),
        pytest.param(Weather.RESET_AFTER, 2, id="lost"),
    ],
)
def test_bad_weather_is_never_a_refusal_and_is_backed_off_from(desk, monkeypatch, weather, calls):
    monkeypatch.setattr(aws_clients, "READ_SECONDS", 0.2 if weather is Weather.HANG else 15)
    desk.simulator.change(refresh_tokens="same")
    desk.simulator.add_fault(Fault(weather))
    before = desk.path.read_bytes()
    seen = []
    desk.clock.now += 31 * MINUTE
    outcome = desk.renew(before=lambda: seen.append(desk.memory().token))
    assert (outcome.result, outcome.token_expires_at) == (Result.UNREACHABLE, NOW + HOUR)
    until(lambda: len(desk.tokens_asked_for()) == calls)  # a hanging call may be logged after we gave it up
    assert not desk.simulator.calls("ListAccounts")
    assert desk.path.read_bytes() == before
    assert seen[0].attempts == 1  # recorded before the call
    assert desk.clock.now + SECOND <= seen[0].retry_at <= desk.clock.now + 2 * SECOND
    after = desk.memory().token
    assert (after.attempts, after.failure, after.refused) == (1, outcome.message, None)
    assert desk.renew(only_due=True).result is Result.NOT_DUE  # the back-off holds
    desk.clock.now += 2 * SECOND
    assert desk.renew(only_due=True).result is Result.UNREACHABLE
    assert desk.memory().token.attempts == 2
    desk.simulator.clear_faults()
    monkeypatch.setattr(aws_clients, "READ_SECONDS", 60)  # a good answer may take its time
    assert desk.renew().result is Result.RENEWED
    assert (desk.memory().token.attempts, desk.memory().token.failure) == (0, None)


@pytest.mark.parametrize("crash", [SystemExit, KeyboardInterrupt, MemoryError])
def test_a_crash_during_the_call_leaves_its_attempt_and_no_rest(desk, crash):
    def dies():
        raise crash

    foreign, before = desk.around(), desk.path.read_bytes()
    desk.clock.now += 31 * MINUTE
    with pytest.raises(crash):
        desk.renew(before=dies)
    assert desk.around() == foreign
    assert desk.path.read_bytes() == before
    tried = desk.memory().token
    assert tried.attempts == 1
    assert tried.retry_at >= desk.clock.now + SECOND
    assert desk.renew(only_due=True).result is Result.NOT_DUE
    desk.clock.now = tried.retry_at
    assert desk.renew(only_due=True).result is Result.RENEWED


def test_kill_9_during_the_call_leaves_its_attempt_and_a_rest_that_the_next_one_uses(desk):
    names = {item.name for item in desk.path.parent.iterdir()}
    desk.clock.now += 31 * MINUTE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the simulator has threads; the child has none
        child = os.fork()
    if child == 0:
        try:
            desk.renew(before=lambda: os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len({item.name for item in desk.path.parent.iterdir()} - names) == 1
    assert desk.memory().token.attempts == 1
    desk.around = dict
    assert desk.renew(only_due=True).result is Result.NOT_DUE
    assert desk.renew().result is Result.RENEWED  # the lock went with the process
    assert {item.name for item in desk.path.parent.iterdir()} == names


# The disk, the locks, the clock


@contextlib.contextmanager
def full_disk():
    """No file may become larger than 16 KiB: enough for a memory, too little for the room of a token file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_noticed_before_the_call(desk):
    before = desk.path.read_bytes()
    with full_disk():
        outcome = desk.renew()
    assert outcome.result is Result.UNREACHABLE
    assert "cannot write" in outcome.message
    assert not desk.simulator.calls()
    assert desk.path.read_bytes() == before


def test_a_disk_that_fills_up_during_the_call_has_room_for_the_answer(desk):
    limits = contextlib.ExitStack()
    with limits:
        assert desk.renew(before=lambda: limits.enter_context(full_disk())).result is Result.RENEWED
    assert cache.load(NAME).token.expires_at == NOW + HOUR
    assert portal_of(CORP).lives(cache.load(NAME)) is True


def test_a_state_directory_that_is_none_is_noticed_before_the_call(desk, home):
    (home / ".local").write_text("")
    outcome = desk.renew()
    assert outcome.result is Result.UNREACHABLE
    assert "cannot write" in outcome.message
    assert not desk.simulator.calls()


def test_while_another_renewal_holds_the_lock_nobody_is_called(desk, monkeypatch):
    monkeypatch.setattr(renewal, "_LOCK_SECONDS", 0.05)
    with files.locked(paths.write_lock(NAME), 0):
        outcome = desk.renew()
    assert outcome.result is Result.UNREACHABLE
    assert "still at it" in outcome.message
    assert not desk.simulator.calls()
    assert desk.memory() == Memory()
    assert desk.renew().result is Result.RENEWED


def test_a_memory_lock_that_is_stuck_before_the_call_keeps_it_from_being_made(desk, monkeypatch):
    monkeypatch.setattr(renewal, "_MEMORY_SECONDS", 0.05)
    with memories.locked(NAME):
        assert desk.renew().result is Result.UNREACHABLE
    assert not desk.simulator.calls()


def stuck_lock(held, _home):
    held.enter_context(memories.locked(NAME))


def lost_state(_held, home):
    for item in sorted((home / ".local").rglob("*"), reverse=True):
        item.rmdir() if item.is_dir() else item.unlink()
    (home / ".local").rmdir()
    (home / ".local").write_text("")


@pytest.mark.parametrize("happens", [stuck_lock, lost_state])
def test_whatever_becomes_of_our_memory_during_the_call_the_new_token_is_kept(desk, home, monkeypatch, happens):
    monkeypatch.setattr(renewal, "_MEMORY_SECONDS", 0.05)
    with contextlib.ExitStack() as held:
        outcome = desk.renew(after=lambda: happens(held, home))
    assert (outcome.result, outcome.token_expires_at) == (Result.RENEWED, NOW + HOUR)
    assert portal_of(CORP).lives(cache.load(NAME)) is True


@pytest.mark.parametrize("seconds", [300, -300])
@pytest.mark.parametrize("ended", [False, True])
def test_what_the_clock_is_off_by_is_remembered(desk, seconds, ended):
    desk.simulator.add_fault(Fault(Weather.WRONG_DATE, seconds=seconds))
    if ended:
        desk.simulator.end_session()
    desk.renew()
    assert desk.memory().token.skew == timedelta(seconds=-seconds)


def test_the_end_is_counted_from_before_the_call(desk):
    def a_slow_answer():
        desk.clock.now += 12 * SECOND

    assert desk.renew(after=a_slow_answer).token_expires_at == NOW + HOUR


# The environment


def test_neither_profile_nor_config_nor_the_general_endpoint_matters(desk, monkeypatch, home, clock):
    (home / ".aws/config").write_text("[default]\nendpoint_url = http://127.0.0.1:1\n[profile broken\n")
    desk.portal_of = IdentityCenter  # a new one each time, which looks at the environment anew
    with Simulator(clock) as trap:
        for name, value in {
            "AWS_PROFILE": "missing",
            "AWS_ENDPOINT_URL": trap.url,
            "AWS_ENDPOINT_URL_STS": trap.url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        }.items():
            monkeypatch.setenv(name, value)
        assert desk.renew().result is Result.RENEWED
        desk.simulator.end_session()
        desk.clock.now += 2 * MINUTE
        assert desk.renew().result is Result.REFUSED
        assert not trap.calls()
    assert [call.operation for call in desk.simulator.calls()] == ["CreateToken", "CreateToken", "ListAccounts"]


# Many at once


AT_ONCE = """
import json, os, sys
from ssowatch import renewal
from ssowatch.model import Kind, Policy, SignIn

corp = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")
go, start = os.pipe()
said, say = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        os.close(start)
        os.read(go, 1)  # ends for all at once
        outcome = renewal.renew(corp, Policy(), only_due=sys.argv[1] == "due")
        os.write(say, (outcome.result + "\\n").encode())
        os._exit(0)
os.close(go), os.close(say), os.close(start)
with open(said) as lines:
    print(json.dumps(sorted(lines.read().split())))
"""


@pytest.fixture
def at_once(home, monkeypatch):
    """A simulator on the real clock, and a home whose token has 20 minutes left."""
    with Simulator() as own:
        for name, value in own.environ.items():
            monkeypatch.setenv(name, value)
        yield own, Desk(home, own, own.now)


@pytest.mark.parametrize(
    ("policy", "asks"), [*((policy, "typed") for policy in EVERY_POLICY), ("rotate", "due"), ("revoke", "due")]
)
def test_of_eight_processes_at_once_one_calls(at_once, policy, asks):
    simulator, desk = at_once
    simulator.change(refresh_tokens=policy)
    desk.write(desk.read(), expiresAt=tokenfile.stamp(simulator.now() + 20 * MINUTE))
    done = subprocess.run([sys.executable, "-c", AT_ONCE, asks], capture_output=True, check=True, text=True)
    outcomes = json.loads(done.stdout)
    assert [call.outcome for call in simulator.calls()] == ["ok"]
    assert outcomes.count("renewed") == 1
    assert set(outcomes) <= {"renewed", "adopted", "not_due"}
    assert len(outcomes) == 8
    contents = cache.load(NAME)
    assert contents.token.expires_at > simulator.now() + 50 * MINUTE
    assert portal_of(CORP).lives(contents) is True


def test_of_eight_commands_at_once_one_calls(at_once, home):
    simulator, desk = at_once
    simulator.change(refresh_tokens="revoke")
    desk.write(desk.read(), expiresAt=tokenfile.stamp(simulator.now() + 20 * MINUTE))
    (home / ".aws/config").write_text(
        "[sso-session corp]\nsso_start_url = https://d-1234567890.awsapps.com/start\nsso_region = us-east-1\n"
    )
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "ssowatch", "refresh", NAME, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    said = [command.communicate(timeout=120) for command in commands]
    assert [(command.returncode, errors) for command, (_, errors) in zip(commands, said, strict=True)] == [(0, "")] * 8
    outcomes = [json.loads(line)["outcome"] for line, _ in said]
    assert outcomes.count("renewed") == 1
    assert set(outcomes) <= {"renewed", "adopted", "not_due"}
    assert [call.outcome for call in simulator.calls()] == ["ok"]


@pytest.mark.parametrize(
    ("skew", "took", "least"),
    [
        pytest.param(-108, 120, 0, id="a slow call is no wrong clock"),
        pytest.param(-108, 8, -100, id="a slow call on a clock that is behind"),
        pytest.param(90, 120, 90, id="a clock that is ahead"),
        pytest.param(-90, -30, -90, id="a clock set back meanwhile"),
    ],
)
def test_how_long_a_call_took_is_no_skew(skew, took, least):
    seconds = timedelta(seconds=1)
    assert renewal._least_skew(skew * seconds, took * seconds) == least * seconds
