"""One sign-in with every outcome, by real boto3 against the simulator, with a person in front of a browser.

Rules of this file:
1. The person is `simulator.person.Person`, which gets the link that a browser gets and nothing else.
2. Every secret that the simulator gave out is looked for in outcomes, `repr`, pages and files: it may be in the token
   file and in the registrations alone.
"""

import concurrent.futures
import ctypes
import json
import os
import socket
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from homes import CONFIG, aws_config, free_port, wait_for
from simulator.faults import Fault
from simulator.faults import Kind as Weather
from simulator.person import Person
from simulator.server import Simulator

from ssowatch import (
    authorization,
    aws_clients,
    cache,
    files,
    memories,
    memory,
    paths,
    problems,
    renewal,
    sign_in_steps,
    signing_out,
    tokenfile,
)
from ssowatch.clock import utc_now
from ssowatch.model import Kind, Policy, Problem, SignIn
from ssowatch.signing_in import Result, sign_in, sign_out

START_URL = "https://d-1234567890.awsapps.com/start"
CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))
LEGACY = SignIn(START_URL, Kind.LEGACY, START_URL, "us-east-1", ("old",))
METHODS = ["pkce", "device"]
FIELDS = [
    "startUrl",
    "region",
    "accessToken",
    "expiresAt",
    "clientId",
    "clientSecret",
    "registrationExpiresAt",
    "refreshToken",
]
HOUR = timedelta(hours=1)


@pytest.fixture
def simulator():
    with Simulator(device_interval=0.0) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """Only the pauses are shorter; and who it is may take longer to find out, on a busy machine."""
    monkeypatch.setattr(authorization, "_WHO_SECONDS", 60.0)
    monkeypatch.setattr(authorization, "_ONE_CALL_SECONDS", 60.0)
    monkeypatch.setattr(sign_in_steps, "_AGAIN", (0.01, 0.01, 0.01))
    monkeypatch.setattr(signing_out, "_REST_SECONDS", 0.01)
    yield
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


class Desk:
    """A home, a person, and what became of it."""

    def __init__(self, home, simulator):
        self.home = home
        self.simulator = simulator
        self.person = Person("anna")
        self.waiting = []
        self.pages = []
        self._pool = concurrent.futures.ThreadPoolExecutor()

    def asked(self, waiting, button):
        self.waiting.append(waiting)
        if button:
            self.pages.append(self._pool.submit(self.person.decide, waiting.link, button))

    def sign_in(self, method="pkce", button="Allow", *, who=CORP, fresh=False, **more):
        waiting = more.pop("waiting", lambda waiting: self.asked(waiting, button))
        more.setdefault("pause", lambda seconds: time.sleep(min(seconds, 0.02)))
        more.setdefault("seconds", 60)
        outcome = sign_in(who, method, fresh=fresh, waiting=waiting, **more)
        self.check(outcome)
        return outcome

    def page(self):
        return self.pages[-1].result(60)

    def read(self, who=CORP):
        return json.loads(Path(paths.token_file(who.name)).read_text())

    def calls(self, operation):
        return [call.outcome for call in self.simulator.calls(operation)]

    def check(self, outcome):
        """Nothing shows a secret; state and token file are private; nothing is left behind."""
        shown = repr((outcome, self.waiting)) + outcome.message
        token = Path(paths.token_file("corp"))
        secrets = set()
        for file in [*Path(paths.token_cache()).glob("*.json"), *Path(paths.state_dir()).glob("registrations/*")]:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            content = json.loads(file.read_text())
            secrets |= {content[name] for name in content if "ecret" in name or "Token" in name}
        for waiting in self.waiting:
            secrets |= {waiting.link, waiting.link.rpartition("/")[2], waiting.code} - {None}
        assert not any(secret in shown for secret in secrets)
        state = [file for file in Path(paths.state_dir()).rglob("*") if file.is_file()]
        for file in state:
            if file.parent.name != "registrations":
                assert not any(secret in file.read_text() for secret in secrets), file
        assert not [file for file in token.parent.glob("*") if file.suffix != ".json"]

    def close(self):
        self._pool.shutdown()


@pytest.fixture
def desk(home, simulator, monkeypatch):
    for name, value in simulator.environ.items():
        monkeypatch.setenv(name, value)
    desk = Desk(home, simulator)
    yield desk
    desk.close()


def looked_at(who=CORP):
    """What the watcher would remember after a look at the file."""
    contents = cache.load(who.name)
    return memory.observed(memories.load(who.name), who, contents.token if contents else None, utc_now())


# It works


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", [CORP, LEGACY], ids=["sso-session", "legacy"])
def test_a_person_signs_in(desk, method, who):
    began = utc_now()
    outcome = desk.sign_in(method, who=who)
    assert (outcome.result, outcome.message, outcome.who) == (Result.SIGNED_IN, "signed in as anna", "anna")
    written = desk.read(who)
    assert list(written) == FIELDS
    assert (written["startUrl"], written["region"]) == (START_URL, "us-east-1")
    contents = cache.load(who.name)
    assert contents.token.flaw is None
    assert began + 0.99 * HOUR < contents.token.expires_at <= utc_now() + HOUR
    assert written["expiresAt"] == tokenfile.stamp(contents.token.expires_at)
    assert contents.token.registration_expires_at > began + timedelta(days=89)
    known = memories.load(who.name)
    assert known == looked_at(who), "the watcher learns nothing new"
    assert (known.token.life, known.lineage.life, known.lineage.who) == (HOUR, HOUR, "anna")
    assert began <= known.lineage.began_at <= utc_now()
    assert renewal.renew(who, Policy(), only_due=True).result is renewal.Result.NOT_DUE


@pytest.mark.parametrize("method", METHODS)
def test_what_it_wrote_is_renewed(desk, method, monkeypatch):
    monkeypatch.setattr(renewal, "_REST", timedelta())
    desk.sign_in(method, who=LEGACY)
    assert renewal.renew(LEGACY, Policy(), only_due=False).result is renewal.Result.RENEWED


PROGRAM = """
import boto3
session = boto3.Session(profile_name="dev", region_name="us-east-1")
print(session.client("sts").get_caller_identity()["Arn"])
"""


@pytest.mark.parametrize("method", METHODS)
def test_a_boto3_program_takes_the_token_as_its_own(desk, method):
    aws_config(desk.home, CONFIG)
    desk.sign_in(method)
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip().endswith("/anna")


def test_the_page_at_the_end_names_portal_user_and_accounts(desk):
    desk.sign_in()
    page = desk.page()
    assert page.status == 200
    for text in ("You are signed in", "corp", START_URL, "anna", "development (111111111111)", "production (2"):
        assert text in page.text
    written = desk.read()
    assert not any(written[name] in page.text for name in ("accessToken", "refreshToken", "clientSecret"))


def test_what_the_browser_is_given(desk):
    desk.sign_in(seconds=600)
    waiting = desk.waiting[0]
    assert waiting.link.startswith("http://127.0.0.1:")
    assert "state" not in waiting.link
    assert (waiting.code, waiting.page) == (None, None)
    assert timedelta(seconds=500) < waiting.deadline - utc_now() <= timedelta(seconds=600)
    desk.sign_in("device")
    waiting = desk.waiting[1]
    assert waiting.code in waiting.link
    assert waiting.page == f"{desk.simulator.url}/device"
    assert timedelta(seconds=500) < waiting.deadline - utc_now() <= timedelta(seconds=600)


def test_the_port_for_a_tunnel(desk):
    with socket.create_server(("127.0.0.1", free_port())) as free:
        port = free.getsockname()[1]
        outcome = desk.sign_in(port=port)
        assert (outcome.result, desk.waiting) == (Result.FAILED, [])
        assert outcome.message == f"cannot listen on port {port} of 127.0.0.1: Address already in use"
    assert desk.sign_in(port=port).result is Result.SIGNED_IN
    assert desk.waiting[0].link.startswith(f"http://127.0.0.1:{port}/")


def test_the_registration_says_who_asks(desk):
    desk.sign_in()
    registered = list(desk.simulator._center._state.registrations._known.values())
    assert [one.name for one in registered] == [f"ssowatch-{socket.gethostname()}"[:69]]
    assert registered[0].scopes == ("sso:account:access",)
    assert registered[0].redirect_uris == ("http://127.0.0.1/oauth/callback",)


def test_the_folders_of_a_first_sign_in_are_made(desk):
    assert not (desk.home / ".aws").exists()
    desk.sign_in()
    assert stat.S_IMODE(Path(paths.token_cache()).stat().st_mode) == 0o700


def test_somebody_else_than_last_time(desk):
    desk.sign_in()
    desk.person = Person("bob")
    outcome = desk.sign_in()
    assert (outcome.message, outcome.who) == ("signed in as bob (last time it was anna)", "bob")
    assert "Last time it was anna." in desk.page().text
    assert memories.load("corp").lineage.who == "bob"
    assert "last time" not in desk.sign_in().message


@pytest.mark.parametrize("operation", ["ListAccounts", "ListAccountRoles", "GetRoleCredentials", "GetCallerIdentity"])
@pytest.mark.parametrize(
    "weather",
    [
        Weather.INTERNAL_ERROR,
        Weather.GARBAGE,
        Weather.RESET_AFTER,
        pytest.param(Weather.HANG, marks=pytest.mark.real),  # costs its time-out
    ],
)
def test_who_it_is_may_stay_unknown(desk, monkeypatch, operation, weather):
    monkeypatch.setattr(authorization, "_ONE_CALL_SECONDS", 3.0 if weather is Weather.HANG else 60.0)
    desk.simulator.add_fault(Fault(weather, operation))
    outcome = desk.sign_in()
    assert (outcome.result, outcome.message, outcome.who) == (Result.SIGNED_IN, "signed in", None)
    assert ("Accounts" in desk.page().text) is (operation != "ListAccounts")
    desk.simulator.clear_faults()


def test_who_it_was_is_kept_while_nobody_knows_better(desk):
    desk.sign_in()
    desk.simulator.add_fault(Fault(Weather.INTERNAL_ERROR, "GetCallerIdentity"))
    assert desk.sign_in().who is None
    assert memories.load("corp").lineage.who == "anna"


def test_the_token_is_there_before_anybody_asks_who_it_is(desk, monkeypatch):
    desk.simulator.add_fault(Fault(Weather.HANG, "ListAccounts"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        outcome = pool.submit(desk.sign_in)
        wait_for(lambda: desk.calls("ListAccounts"), "it is asked", 60)
        assert cache.load("corp")
        assert memories.load("corp") == looked_at()
        desk.simulator.clear_faults()
        assert outcome.result(60).result is Result.SIGNED_IN


def test_a_token_that_cannot_be_renewed_is_said_to_be_one(desk):
    desk.simulator.add_fault(Fault(Weather.MISSING_KEYS, "CreateToken", keys=("refreshToken",)))
    outcome = desk.sign_in()
    assert outcome.message == "signed in as anna; AWS gave no refresh token, so this sign-in cannot be renewed"
    assert list(desk.read()) == FIELDS[:-1]
    assert "cannot be renewed" in desk.page().text


@pytest.mark.parametrize("method", METHODS)
def test_the_lineage_begins_anew_and_refusals_are_forgotten(desk, method):
    desk.sign_in(method)
    old = cache.load("corp").token
    desk.simulator.end_session()
    assert renewal.renew(CORP, Policy(), only_due=False, pause=lambda _: None).result is not renewal.Result.RENEWED
    memories.update(
        "corp",
        lambda known: memory.tab_denied(
            memory.refused(known, "ended", "x", utc_now(), alive=False, skew=timedelta()), "x", utc_now()
        ),
    )
    before = memories.load("corp")
    assert before.token.refused
    assert desk.sign_in(method).result is Result.SIGNED_IN
    after = memories.load("corp")
    assert after.token.refused is None
    assert after.lineage.denied_at is None
    assert after.token.fingerprint != before.token.fingerprint
    assert cache.load("corp").token.fingerprint != old.fingerprint


# It does not


@pytest.mark.parametrize("method", METHODS)
def test_a_person_denies(desk, method):
    desk.sign_in()
    before = (desk.read(), memories.load("corp"))
    outcome = desk.sign_in(method, "Deny")
    assert (outcome.result, outcome.message) == (Result.DENIED, "it was denied in the browser")
    assert (desk.read(), memories.load("corp")) == before
    assert ("Sign-in denied" if method == "pkce" else "Request denied") in desk.page().text


@pytest.mark.parametrize("method", METHODS)
def test_it_is_denied_at_once(desk, method):
    desk.simulator.change(approval="deny")
    assert desk.sign_in(method).result is Result.DENIED
    assert not Path(paths.token_file("corp")).exists()


def test_nobody_comes(desk):
    outcome = desk.sign_in(button=None, seconds=0.1)
    assert (outcome.result, outcome.message) == (Result.TIMED_OUT, "nobody finished it in the browser in time")
    assert desk.waiting[0].deadline <= utc_now()


def test_nobody_comes_and_the_clock_is_moved_meanwhile(desk):
    moments = iter([utc_now()] * 8)
    outcome = desk.sign_in(button=None, seconds=600, now=lambda: next(moments, utc_now() + HOUR))
    assert outcome.result is Result.TIMED_OUT


@pytest.mark.parametrize("by", ["server", "clock"])
def test_a_device_code_runs_out(desk, by):
    desk.simulator.change(device_life=1.0)
    clock = {"pause": time.sleep} if by == "server" else {}
    outcome = desk.sign_in("device", None, **clock)
    assert outcome.result is Result.TIMED_OUT
    assert outcome.message in {"the code ran out before anybody approved it", "nobody approved the code in time"}


def test_slow_down_makes_it_slower_by_five_seconds(desk):
    desk.simulator.add_fault(Fault(Weather.SLOW_DOWN, "CreateToken", count=2))
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 4:
            desk.person.decide(desk.waiting[0].link, "Allow")

    desk.simulator.change(device_interval=2)
    outcome = desk.sign_in("device", None, pause=pause)
    assert outcome.result is Result.SIGNED_IN
    assert pauses == [2, 7, 12, 12]


def test_the_portal_sends_back_another_error(desk):
    bad = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", scopes=("sso:account:access",))

    def tampers(waiting):
        desk.waiting.append(waiting)
        page = Person(follow=False).open(waiting.link)
        desk.pages.append(desk._pool.submit(Person().open, page.headers["Location"].replace("S256", "plain")))

    outcome = desk.sign_in(who=bad, waiting=tampers)
    assert outcome.result is Result.FAILED
    assert outcome.message == "the portal sent the browser back with an error (invalid_request)"
    assert "The sign-in did not work" in desk.page().text


@pytest.mark.parametrize(
    ("who", "result", "message"),
    [
        pytest.param({"scopes": ("made:up",)}, Result.FAILED, "AWS does not take sso_registration_scopes", id="scope"),
        pytest.param({"start_url": "nonsense"}, Result.FAILED, "AWS does not know this portal here", id="portal"),
        pytest.param({"region": "no region"}, Result.FAILED, "the client cannot be made", id="region"),
        pytest.param({"ca_bundle": "/nowhere.pem"}, Result.FAILED, "", id="ca"),
        pytest.param(
            {"problem": Problem("broken", "sso_region is missing", "add it")},
            Result.FAILED,
            "sso_region is missing; add it",
            id="misconfigured",
        ),
    ],
)
def test_a_config_that_cannot_work_opens_nothing(desk, who, result, message):
    given = {"name": "corp", "kind": Kind.SSO_SESSION, "start_url": START_URL, "region": "us-east-1", **who}
    outcome = desk.sign_in(who=SignIn(**given))
    if "ca_bundle" in who and outcome.result is Result.SIGNED_IN:
        return  # over plain HTTP no CA is looked at
    assert (outcome.result, desk.waiting) == (result, [])
    assert message in outcome.message


def test_the_wrong_region_is_named(desk):
    desk.simulator.change(other_region="eu-central-1")
    outcome = desk.sign_in("device")
    assert (outcome.result, desk.waiting) == (Result.FAILED, [])
    assert "check sso_start_url and sso_region" in outcome.message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kept", [False, True], ids=["new", "registration-kept"])
@pytest.mark.parametrize("weather", [Weather.DOWN, Weather.INTERNAL_ERROR, Weather.GARBAGE, Weather.RESET_BEFORE])
def test_without_a_network_nothing_opens(desk, method, kept, weather):
    if kept:
        desk.sign_in(method)
        desk.waiting.clear()
    desk.simulator.add_fault(Fault(weather))
    outcome = desk.sign_in(method)
    assert (outcome.result, desk.waiting) == (Result.UNREACHABLE, [])
    assert outcome.message.startswith("AWS cannot be reached: ")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weather", [Weather.INTERNAL_ERROR, Weather.RESET_BEFORE, Weather.TOO_MANY_REQUESTS])
def test_a_fault_at_the_exchange_is_overcome(desk, method, weather):
    desk.simulator.add_fault(Fault(weather, "CreateToken", count=2))
    assert desk.sign_in(method).result is Result.SIGNED_IN


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("pkce", "AWS does not take the code that the browser brought (invalid_grant)"),
        ("device", "AWS gave the token, but its answer was lost on the way"),
    ],
)
def test_an_answer_that_is_lost_is_said_to_be(desk, method, message):
    desk.simulator.change(approval="auto")
    person = Person()

    def waiting(given):
        desk.waiting.append(given)
        if method == "device":
            person.decide(given.link)
        else:
            desk.pages.append(desk._pool.submit(person.decide, given.link))
        desk.simulator.add_fault(Fault(Weather.RESET_AFTER, "CreateToken", count=1))

    outcome = desk.sign_in(method, waiting=waiting)
    assert (outcome.result, outcome.message) == (Result.FAILED, message)


def test_a_device_code_runs_out_while_aws_does_not_answer(desk):
    ahead = []

    outcome = desk.sign_in(
        "device",
        waiting=lambda _: desk.simulator.add_fault(Fault(Weather.INTERNAL_ERROR)),
        now=lambda: utc_now() + len(ahead) * timedelta(minutes=4),
        pause=ahead.append,
    )
    assert outcome.result is Result.UNREACHABLE
    assert "InternalServerException" in outcome.message


def test_no_room_is_noticed_before_anybody_is_asked(desk):
    Path(paths.token_cache()).parent.mkdir(parents=True)
    Path(paths.token_cache()).write_text("a file where the folder should be")
    outcome = desk.sign_in()
    assert (outcome.result, desk.waiting) == (Result.FAILED, [])
    assert outcome.message.startswith(f"cannot write {paths.token_cache()}")


def test_room_that_is_gone_afterwards_is_said(desk, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device", "/x")

    outcome = desk.sign_in(
        waiting=lambda waiting: (monkeypatch.setattr(cache, "reserve", full), desk.asked(waiting, "Allow"))
    )
    assert (outcome.result, outcome.message) == (Result.FAILED, "cannot write /x: No space left on device")
    assert "The token could not be written." in desk.page().text


def test_a_lock_that_is_held_for_ever(desk, monkeypatch):
    monkeypatch.setattr(sign_in_steps, "LOCK_SECONDS", 0.05)
    with files.locked(paths.write_lock("corp"), 1):
        outcome = desk.sign_in()
    assert outcome.result is Result.FAILED
    assert outcome.message == f"another ssowatch process is at this token and does not end (pid {os.getpid()})"


def test_a_memory_that_is_stuck_does_not_cost_the_token(desk, monkeypatch):
    monkeypatch.setattr(sign_in_steps, "MEMORY_SECONDS", 0.05)
    monkeypatch.setattr(signing_out, "MEMORY_SECONDS", 0.05)
    with files.locked(paths.memory_lock("corp"), 1):
        assert desk.sign_in().result is Result.SIGNED_IN


def test_a_renewal_under_way_finishes_first_and_does_not_win(desk, monkeypatch):
    monkeypatch.setattr(renewal, "_REST", timedelta())
    desk.sign_in()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = []

        def waiting(given):
            desk.simulator.add_fault(Fault(Weather.LATENCY, "CreateToken", seconds=2, count=1))
            slow.append(pool.submit(renewal.renew, CORP, Policy(), only_due=False))
            wait_for(lambda: not desk.simulator._faults._set, "the renewal is on its way", 60)
            desk.asked(given, "Allow")

        assert desk.sign_in(waiting=waiting).result is Result.SIGNED_IN
        assert slow[0].result(60).result is renewal.Result.RENEWED
    assert memories.load("corp") == looked_at()
    assert memories.load("corp").token.refused is None
    assert desk.read()["accessToken"] not in {"", None}
    assert renewal.renew(CORP, Policy(), only_due=False).result is renewal.Result.RENEWED


# Attacks


def test_who_took_the_link_first_is_noticed(desk):
    def waiting(given):
        desk.waiting.append(given)
        Person(follow=False).open(given.link)
        desk.pages.append(desk._pool.submit(desk.person.decide, given.link))
        assert desk.page().status == 410

    assert desk.sign_in(waiting=waiting, seconds=1).result is Result.TIMED_OUT


def test_a_forged_way_back_ends_nothing(desk):
    def waiting(given):
        root = given.link.rpartition("/")[0]
        for query in ("code=evil&state=guess", "error=access_denied&state=guess", "code=evil", ""):
            assert Person().open(f"{root}/oauth/callback?{query}").status == 403
        desk.asked(given, "Allow")

    assert desk.sign_in(waiting=waiting).who == "anna"
    assert desk.calls("CreateToken") == ["ok"]


def test_a_code_of_somebody_elses_sign_in_is_of_no_use(desk):
    """The state is right (it was seen), but the code is another's: the verifier does not fit."""
    stolen = []

    def waiting(given):
        page = Person(follow=False).open(given.link).headers["Location"]
        if not stolen:
            stolen.append(page)
            return
        back = (
            Person("eve", follow=False).decide(page.replace("code_challenge=", "code_challenge=x")).headers["Location"]
        )
        desk.pages.append(desk._pool.submit(Person().open, back))

    desk.sign_in(waiting=waiting, seconds=0.05)
    desk.simulator.change(approval="auto")
    outcome = desk.sign_in(waiting=waiting)
    assert outcome.result is Result.FAILED
    assert not Path(paths.token_file("corp")).exists()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a\u202eb\x1b[31m\n"])
def test_names_are_anybodys_text(desk, text):
    who = SignIn(text, Kind.SSO_SESSION, START_URL, "us-east-1")
    desk.person = Person("<b>eve</b>\x1b[31m")
    outcome = desk.sign_in(who=who)
    assert outcome.result is Result.SIGNED_IN
    for dangerous in ("<script>", "<b>", "\x1b", "\u202e"):
        assert dangerous not in desk.page().text
        if not dangerous.startswith("<"):
            assert dangerous not in outcome.message


# Registrations


@pytest.mark.parametrize("method", METHODS)
def test_a_registration_is_used_again(desk, method):
    for _ in range(3):
        assert desk.sign_in(method).result is Result.SIGNED_IN
    assert desk.calls("RegisterClient") == ["ok"]


def test_each_kind_portal_region_and_scope_has_its_own(desk):
    others = [
        {"start_url": f"{START_URL}/"},
        {"region": "eu-west-1"},
        {"scopes": ("sso:account:access", "codewhisperer:analysis")},
    ]
    for method in METHODS:
        for changes in [{}, *others]:
            given = {"name": "corp", "kind": Kind.SSO_SESSION, "start_url": START_URL, "region": "us-east-1", **changes}
            desk.simulator.change(approval="auto")
            assert desk.sign_in(method, who=SignIn(**given)).result is Result.SIGNED_IN
    assert len(desk.calls("RegisterClient")) == 8
    assert desk.sign_in(who=SignIn("another name", Kind.SSO_SESSION, START_URL, "us-east-1")).result is Result.SIGNED_IN
    assert len(desk.calls("RegisterClient")) == 8, "a name has nothing to do with it"


@pytest.mark.parametrize("method", METHODS)
def test_a_registration_that_aws_forgot_is_replaced_before_anything_opens(desk, method):
    desk.sign_in(method)
    desk.simulator.revoke_registrations()
    assert desk.sign_in(method).result is Result.SIGNED_IN
    assert desk.calls("RegisterClient") == ["ok", "ok"]
    assert "refused" not in desk.calls("AuthorizePage")


@pytest.mark.parametrize("method", METHODS)
def test_a_registration_that_is_forgotten_in_the_middle_is_dropped(desk, method):
    def waiting(given):
        if method == "device":
            desk.person.decide(given.link)
            desk.simulator.revoke_registrations()
            return
        back = Person("anna", follow=False).decide(Person(follow=False).open(given.link).headers["Location"])
        desk.simulator.revoke_registrations()
        desk.pages.append(desk._pool.submit(Person().open, back.headers["Location"]))

    desk.simulator.change(approval="auto")
    outcome = desk.sign_in(method, waiting=waiting)
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("(invalid_client); the next try makes a new one")
    assert desk.sign_in(method).result is Result.SIGNED_IN


@pytest.mark.parametrize(
    ("life", "later", "again"),
    [
        pytest.param(90 * 86400, timedelta(days=44), 1, id="young"),
        pytest.param(90 * 86400, timedelta(days=46), 2, id="past-its-half"),
        pytest.param(1800, timedelta(minutes=14), 1, id="16-minutes-left"),
        pytest.param(1200, timedelta(minutes=6), 2, id="14-minutes-left"),
        pytest.param(90 * 86400, timedelta(days=-1), 2, id="clock-set-back"),
    ],
)
def test_when_a_registration_is_too_old(home, monkeypatch, life, later, again):
    clock = [datetime(2026, 1, 5, 8, tzinfo=UTC)]
    with Simulator(lambda: clock[0], registration_life=life, approval="auto") as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        desk = Desk(home, simulator)
        for _ in range(2):
            assert desk.sign_in(now=lambda: clock[0]).result is Result.SIGNED_IN
            clock[0] += later
        assert len(desk.calls("RegisterClient")) == again
        desk.close()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda content: content[:40], id="half"),
        pytest.param(lambda content: content.replace(b"us-east-1", b"eu-west-1"), id="of-another-region"),
        pytest.param(lambda content: content.replace(b"pkce", b"device"), id="of-another-kind"),
        pytest.param(lambda content: content.replace(b'Z"', b'"'), id="times-without-a-zone"),
        pytest.param(lambda _: b"[" * 100_000, id="deep"),
    ],
)
def test_a_registration_file_that_is_not_as_we_wrote_it_is_made_anew(desk, spoil):
    desk.sign_in()
    (file,) = Path(paths.state_dir()).glob("registrations/*")
    file.write_bytes(spoil(file.read_bytes()))
    assert desk.sign_in().result is Result.SIGNED_IN
    assert len(desk.calls("RegisterClient")) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_registrations_of_the_aws_cli_are_left_alone(desk):
    folder = Path(paths.token_cache())
    folder.mkdir(parents=True)
    foreign = folder / "593e7fe8be40a34ec2525a8025abd929e22037d9.json"
    foreign.write_text("{}")
    foreign.chmod(0o600)
    desk.sign_in()
    assert foreign.read_text() == "{}"


# Fresh


@pytest.mark.parametrize("method", METHODS)
def test_a_fresh_sign_in_ends_the_old_one_first(desk, method):
    desk.sign_in()
    before = desk.simulator._center.living(utc_now())
    outcome = desk.sign_in(method, fresh=True)
    assert (outcome.result, outcome.message) == (Result.SIGNED_IN, "signed in afresh as anna")
    after = desk.simulator._center.living(utc_now())
    assert desk.calls("Logout") == ["ok"]
    assert after[0].begun_at > before[0].begun_at
    assert memories.load("corp") == looked_at()
    assert memories.load("corp").token.refused is None


@pytest.mark.parametrize("method", METHODS)
def test_a_fresh_sign_in_that_is_cancelled_leaves_a_clear_state(desk, method):
    desk.sign_in()
    outcome = desk.sign_in(method, "Deny", fresh=True)
    assert outcome.result is Result.DENIED
    assert outcome.message.endswith("the old sign-in was ended before, so nothing works until somebody signs in")
    if method == "pkce":
        assert "The old sign-in was ended before" in desk.page().text
    known = memories.load("corp")
    assert known == looked_at()
    assert (known.token.refused_code, known.token.alive) == ("fresh", False)
    problem = problems.refused(CORP, known.token, unmoved=False)
    assert problem.message == "the sign-in was ended for a fresh one, which was not finished; the token is dead"
    assert problem.fix.startswith("sign in: ")
    calls = len(desk.calls("CreateToken"))
    assert renewal.renew(CORP, Policy(), only_due=True).result is not renewal.Result.RENEWED
    assert len(desk.calls("CreateToken")) == calls
    assert desk.sign_in(method).result is Result.SIGNED_IN
    assert memories.load("corp").token.refused is None


def test_a_fresh_sign_in_ends_one_whose_access_token_ran_out_too(home, monkeypatch):
    clock = [datetime(2026, 1, 5, 8, tzinfo=UTC)]
    with Simulator(lambda: clock[0], approval="auto") as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        desk = Desk(home, simulator)
        desk.sign_in(now=lambda: clock[0])
        clock[0] += 3 * HOUR
        assert desk.sign_in(now=lambda: clock[0], fresh=True).message == "signed in afresh as someone"
        assert desk.calls("Logout") == ["ok"]
        assert [one.begun_at for one in simulator._center.living(clock[0])] == [clock[0]]
        desk.close()


def test_a_fresh_sign_in_where_there_is_none_is_an_ordinary_one(desk):
    assert desk.sign_in(fresh=True).message == "signed in as anna"
    assert desk.calls("Logout") == []


def test_a_fresh_sign_in_of_one_that_has_ended_already(desk):
    desk.sign_in()
    desk.simulator.end_session()
    assert desk.sign_in(fresh=True).result is Result.SIGNED_IN
    assert desk.calls("Logout") == ["UnauthorizedException"]


@pytest.mark.parametrize("weather", [Weather.INTERNAL_ERROR, Weather.RESET_BEFORE, Weather.HANG])
def test_a_sign_in_that_cannot_be_ended_goes_on(desk, monkeypatch, weather):
    if weather is Weather.HANG:  # of the portal alone: what else is called must have its time
        make = aws_clients.Clients.make
        monkeypatch.setattr(
            aws_clients.Clients,
            "make",
            lambda own, service, **more: make(
                own, service, **{**more, **({"seconds": 0.3} if service == "sso" else {})}
            ),
        )
    desk.sign_in()
    desk.waiting.clear()
    before = (desk.read(), memories.load("corp"))
    desk.simulator.add_fault(Fault(weather, "Logout"))
    outcome = desk.sign_in(fresh=True)
    assert (outcome.result, desk.waiting) == (Result.UNREACHABLE, [])
    assert outcome.message.startswith("the old sign-in could not be ended, and goes on: ")
    assert (desk.read(), memories.load("corp")) == before
    desk.simulator.clear_faults()


def test_a_logout_whose_answer_was_lost_is_asked_again(desk):
    desk.sign_in()
    desk.simulator.add_fault(Fault(Weather.RESET_AFTER, "Logout", count=1))
    assert desk.sign_in(fresh=True).result is Result.SIGNED_IN
    assert desk.calls("Logout") == ["ok", "UnauthorizedException"]


@pytest.mark.parametrize("weather", [Weather.DOWN, Weather.INTERNAL_ERROR])
def test_nothing_is_ended_where_nothing_can_begin(desk, weather):
    desk.sign_in()
    desk.simulator.add_fault(Fault(weather, "CreateToken"))
    assert desk.sign_in(fresh=True).result is Result.UNREACHABLE
    desk.simulator.clear_faults()
    assert desk.calls("Logout") == []
    assert memories.load("corp").token.refused is None


# The end


def test_a_person_signs_out(desk):
    desk.sign_in()
    desk.sign_in(who=LEGACY)
    outcome = sign_out(CORP)
    desk.check(outcome)
    assert outcome.result is Result.SIGNED_OUT
    assert desk.calls("Logout") == ["ok"]
    assert not Path(paths.token_file("corp")).exists()
    assert cache.load(LEGACY.name), "this one only"
    assert memories.load("corp").lineage.signed_out_at
    assert sign_out(CORP).message == "there was no token"


def test_a_person_signs_out_of_what_has_ended(desk):
    desk.sign_in()
    desk.simulator.end_session()
    assert sign_out(CORP).result is Result.SIGNED_OUT


@pytest.mark.parametrize("weather", [Weather.DOWN, Weather.INTERNAL_ERROR])
def test_a_person_signs_out_without_a_network(desk, weather):
    desk.sign_in()
    desk.simulator.add_fault(Fault(weather))
    outcome = sign_out(CORP)
    assert outcome.result is Result.UNREACHABLE
    assert outcome.message.startswith("the token file was removed, but the sign-in itself goes on at AWS")
    assert not Path(paths.token_file("corp")).exists()


def test_a_broken_file_is_signed_out_of_too(desk, monkeypatch):
    monkeypatch.setattr(cache, "_LOOK_AGAIN", (0,))
    cache.make_folder()
    Path(paths.token_file("corp")).write_text("{")
    outcome = sign_out(CORP)
    assert outcome.result is Result.SIGNED_OUT
    assert outcome.message == "the token file is not complete JSON: it was removed; AWS could not be told"


def test_a_misconfigured_sign_in_is_signed_out_of_here(desk):
    desk.sign_in()
    outcome = sign_out(SignIn("corp", Kind.SSO_SESSION, START_URL, "", problem=Problem("x", "sso_region is missing")))
    assert outcome.result is Result.UNREACHABLE
    assert "sso_region is missing" in outcome.message


def test_signing_out_where_somebody_holds_the_lock(desk, monkeypatch):
    monkeypatch.setattr(signing_out, "LOCK_SECONDS", 0.05)
    with files.locked(paths.write_lock("corp"), 1):
        assert sign_out(CORP).result is Result.FAILED


# The process


def test_nothing_but_the_named_endpoints_is_honoured(desk, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{trap.getsockname()[1]}")
        monkeypatch.setenv("AWS_PROFILE", "none-such")
        assert desk.sign_in().who == "anna"
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize(
    "module", ["signing_in", "signing_out", "sign_in_steps", "registrations", "result_page", "pkce"]
)
def test_boto3_and_asyncio_are_loaded_by_who_signs_in_alone(module):
    program = f"import sys; import ssowatch.{module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"boto3", "botocore", "asyncio"} & set(loaded)
