"""The table of races: real programs that renew one token at the same moment, under every refresh-token policy.

Rules of this file:
1. Four take part: the watcher's child, a hand at the keyboard, boto3, and the AWS SDK for JavaScript. All have read the
   old token before any of them has an answer (`Crossroads`); each row says whose call is looked at first.
2. No sign-in is lost: afterwards the file is whole, the portal takes its token, a renewal works, and so do all programs.
   The two exceptions are AWS's and the SDKs' doing, and there ssowatch must say so: a service that takes a reused
   refresh token for theft (`revoke`), and an SDK that writes a file without the refresh token that was not sent anew
   (`none`).
3. Of ssowatch's own processes one calls, however many there are.
4. What an AWS program may see is one error, and only where it lost under rotation with a token that had run out.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from real import javascript
from real.machine import BOTO3_PROGRAM, Said, until, write_in_place
from real.true_clock import RUN_OUT, SOON, age, on_true_clock, started

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="who waits for a lock is read from /proc"),
]

POLICIES = ["same", "rotate", "grace", "revoke", "none"]
LIVES = {"lives": SOON, "has run out": RUN_OUT}
RACERS = ["ssowatch", "boto3", "js"]
REFRESH = ("refresh", "corp", "--json")
DUE = ("refresh", "--due", "corp", "--json")
LOST = {"boto3": "TokenRetrievalError", "js": "CredentialsProviderError"}
"""What the loser of a race sees under rotation, once, when its token has run out."""


@pytest.fixture
def machine(tmp_path_factory):
    with on_true_clock(tmp_path_factory.mktemp("r")) as machine:
        yield machine


def start(machine, sdk):
    command, environ = javascript.program() if sdk == "js" else (BOTO3_PROGRAM, {})
    return machine.start_client(command, **environ)


def queued(program):
    """It stands before the write lock, or holds it: it has read the token that it will compare with."""
    with contextlib.suppress(FileNotFoundError):  # a file that it closed meanwhile
        return any(link.readlink().suffix == ".write" for link in Path(f"/proc/{program.pid}/fd").iterdir())
    return False


def outcome(program):
    """What a `ssowatch refresh` came to."""
    code = program.process.wait(60)
    said = json.loads(program.said())
    assert code == {"refused": 1}.get(said["outcome"], 0)
    return said["outcome"]


def token(machine):
    return json.loads(machine.token_file.read_text())


def status(machine):
    """State and problem, as `ssowatch status` says them."""
    sign_ins = json.loads(machine.ssowatch("status", "--json").stdout)["sign_ins"]
    corp = next(one for one in sign_ins if one["name"] == "corp")
    return corp["state"], corp["problem"]


def refreshed(machine):
    """What a hand's refresh comes to after the token has run out."""
    age(machine, RUN_OUT)
    return json.loads(machine.ssowatch(*REFRESH).stdout)["outcome"]


def nothing_is_lost(machine, *sdks):
    assert machine.simulator.takes(token(machine)["accessToken"])
    assert all(sdk.works("dev") for sdk in sdks)
    assert status(machine) == ("valid", None)
    before = machine.simulator.callers()
    assert refreshed(machine) == "renewed"
    assert machine.simulator.callers() == [*before, "ssowatch ok"]
    assert machine.simulator.takes(token(machine)["accessToken"])
    assert all(sdk.works("dev") for sdk in sdks)
    assert token(machine)["refreshToken"]
    assert [path.name for path in machine.token_file.parent.iterdir()] == [machine.token_file.name]


class Reader(threading.Thread):
    """Reads the token file all the time."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.torn, self.reads, self.done = path, 0, 0, threading.Event()

    def run(self):
        while not self.done.wait(0.0005):
            self.reads += 1
            try:
                assert json.loads(self.path.read_text())["accessToken"]
            except ValueError:
                self.torn += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


# All four


def raced(machine, first):
    """All four at once; the AWS programs, and what each of the four came to."""
    simulator = machine.simulator
    sdks = {name: start(machine, name) for name in ("boto3", "js")}
    simulator.hold()
    with ThreadPoolExecutor() as pool:
        said = {name: pool.submit(sdk.call, "dev") for name, sdk in sdks.items()}
        until(lambda: simulator.waiting() == set(sdks), "the AWS programs ask for a token")
        child = started(machine, *DUE)  # last, because it has the shortest time-out
        until(lambda: simulator.waiting() == set(RACERS), "so does the watcher's child")
        hand = started(machine, *REFRESH)
        until(lambda: queued(hand), "a hand waits for the child")
        for name in sorted(RACERS, key=lambda name: name != first):
            simulator.let_in(name)
        saw = {name: answer.result() for name, answer in said.items()}
    return sdks.values(), {"child": outcome(child), "hand": outcome(hand), **saw}


def says(said: Said) -> str:
    return "ok" if said.ok else said.error


@pytest.mark.parametrize("first", RACERS)
@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("policy", POLICIES)
def test_all_four_at_once(machine, policy, life, first):
    simulator = machine.simulator
    simulator.change(refresh_tokens=policy)
    machine.sign_in()
    age(machine, LIVES[life])
    with Reader(machine.token_file) as reader:
        sdks, saw = raced(machine, first)
    callers = simulator.callers()
    saw = {name: said if isinstance(said, str) else says(said) for name, said in saw.items()}
    print(f"{policy}, token {life}, {first} first: {saw}; {reader.torn} of {reader.reads} reads torn; {callers}")

    assert reader.reads > 100
    assert reader.torn == 0 or "js ok" in callers, "only the JS SDK cuts the file off before it writes"
    assert sorted(call.split()[0] for call in callers[:3]) == sorted(RACERS)
    assert callers[0] == f"{first} ok"
    if policy == "revoke":
        the_sign_in_is_over(machine, first, saw, sdks)
        return
    rotated = policy == "rotate"
    assert callers[1:] == [f"{call.split()[0]} {'InvalidGrantException' if rotated else 'ok'}" for call in callers[1:]]
    assert len(callers) == 3
    for name, error in LOST.items():
        assert saw[name] == (error if rotated and life == "has run out" and name != first else "ok")
    assert saw["hand"] == "adopted"
    assert saw["child"] in ({"renewed" if first == "ssowatch" else "adopted"} if rotated else {"renewed", "adopted"})
    if policy == "none" and "refreshToken" not in token(machine):
        the_refresh_token_is_missed(machine)
    else:
        nothing_is_lost(machine, *sdks)


def the_sign_in_is_over(machine, first, saw, sdks):
    """The reuse was taken for theft: nobody can help but a person, and that is said."""
    assert not machine.simulator.takes(token(machine)["accessToken"])
    if first != "ssowatch":
        assert (saw["child"], saw["hand"]) == ("refused", "refused")
    elif saw["child"] == "renewed":
        # Its own token is dead without its knowledge: the next renewal finds out.
        assert refreshed(machine) == "refused"
    state, problem = status(machine)
    assert (state, problem["code"]) == ("login_required", "refused")
    assert problem["message"] == "AWS refused to renew: the sign-in has ended (invalid_grant); the token is dead"
    assert problem["fix"] == "sign in again: ssowatch login corp"
    machine.sign_in()
    nothing_is_lost(machine, *sdks)


def the_refresh_token_is_missed(machine):
    """An SDK wrote last."""
    assert machine.simulator.takes(token(machine)["accessToken"])
    state, problem = status(machine)
    assert (state, problem["code"]) == ("valid", "no_refresh_token")
    assert refreshed(machine) == "refused"
    machine.simulator.change(refresh_tokens="rotate")
    machine.sign_in()
    nothing_is_lost(machine)


# ssowatch alone


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize(
    ("policy", "commands"),
    [
        *((policy, (DUE, REFRESH)) for policy in POLICIES),
        pytest.param("revoke", (REFRESH, DUE), id="revoke-a hand first"),
        pytest.param("revoke", (REFRESH, DUE, DUE, REFRESH, REFRESH, DUE), id="revoke-six"),
    ],
)
def test_ssowatch_alone_calls_once(machine, policy, commands, life):
    machine.simulator.change(refresh_tokens=policy)
    machine.sign_in()
    age(machine, LIVES[life])
    machine.simulator.hold()
    first = started(machine, *commands[0])
    until(machine.simulator.waiting, "the first asks for a token")
    others = [started(machine, *command) for command in commands[1:]]
    until(lambda: all(queued(other) for other in others), "the others wait for it")
    with Reader(machine.token_file) as reader:
        machine.simulator.let_in("ssowatch")
        assert outcome(first) == "renewed"
        assert [outcome(other) for other in others] == ["adopted"] * len(others)
    assert reader.torn == 0
    assert machine.simulator.callers() == ["ssowatch ok"]
    nothing_is_lost(machine)


# Lost updates


def by_another_registration(machine, old):
    machine.sign_in(user="somebody else")


def by_the_same_registration(machine, old):
    """As the AWS CLI does while its registration is good."""
    machine.sign_in(client_id=old["clientId"])


def by_the_js_sdk(machine, old):
    signed_in = machine.simulator.sign_in()
    signed_in["expiresAt"] = signed_in["expiresAt"].replace("Z", ".871Z")
    write_in_place(machine.token_file, json.dumps(signed_in, indent=2))


@pytest.mark.parametrize("sign_in", [by_another_registration, by_the_same_registration, by_the_js_sdk])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_slow_renewal_leaves_a_new_sign_in_alone(machine, policy, sign_in):
    machine.simulator.change(refresh_tokens=policy)
    machine.sign_in()
    old = age(machine, SOON)
    machine.simulator.hold()
    child = started(machine, *DUE)
    until(machine.simulator.waiting, "it asks for a token")
    sign_in(machine, old)
    written = machine.token_file.read_bytes()
    machine.simulator.let_in("ssowatch")
    assert outcome(child) == "adopted"
    assert machine.token_file.read_bytes() == written
    nothing_is_lost(machine)


def test_a_slow_renewal_does_not_undo_a_logout(machine):
    machine.sign_in()
    age(machine, SOON)
    machine.simulator.hold()
    child = started(machine, *DUE)
    until(machine.simulator.waiting, "it asks for a token")
    machine.token_file.unlink()
    machine.simulator.let_in("ssowatch")
    assert outcome(child) == "refused"
    assert list(machine.token_file.parent.iterdir()) == []


@pytest.mark.parametrize("sdk", LOST)
def test_for_contrast_an_sdk_overwrites_a_new_sign_in(machine, sdk):
    machine.sign_in()
    old = age(machine, SOON)
    machine.simulator.hold()
    with ThreadPoolExecutor() as pool:
        said = pool.submit(start(machine, sdk).call, "dev")
        until(machine.simulator.waiting, "it asks for a token")
        machine.sign_in(user="somebody else")
        machine.simulator.let_in(sdk)
        assert said.result().ok
    assert token(machine)["clientId"] == old["clientId"], "the new sign-in is gone; when this fails, the SDK has learnt"


# A refresh token that is not sent anew


@pytest.mark.parametrize("sdk", LOST)
@pytest.mark.parametrize("life", LIVES)
def test_a_refresh_token_that_an_sdk_loses_meanwhile_is_put_back(machine, life, sdk):
    machine.simulator.change(refresh_tokens="none")
    machine.sign_in()
    old = age(machine, LIVES[life])
    machine.simulator.hold()
    other = start(machine, sdk)
    with ThreadPoolExecutor() as pool:
        said = pool.submit(other.call, "dev")
        until(lambda: machine.simulator.waiting() == {sdk}, "the AWS program asks for a token")
        child = started(machine, *DUE)
        until(lambda: "ssowatch" in machine.simulator.waiting(), "so does the watcher's child")
        machine.simulator.let_in(sdk)
        assert said.result().ok
    assert "refreshToken" not in token(machine), "when this fails, the SDK has learnt"
    machine.simulator.let_in("ssowatch")
    assert outcome(child) == "renewed"
    assert token(machine)["refreshToken"] == old["refreshToken"]
    nothing_is_lost(machine, other)


@pytest.mark.parametrize("sdk", LOST)
def test_a_refresh_token_that_an_sdk_loses_later_is_missed_aloud(machine, sdk):
    machine.simulator.change(refresh_tokens="none")
    machine.sign_in()
    age(machine, SOON)
    machine.simulator.hold()
    with ThreadPoolExecutor() as pool:
        said = pool.submit(start(machine, sdk).call, "dev")
        until(lambda: machine.simulator.waiting() == {sdk}, "the AWS program asks for a token")
        child = started(machine, *DUE)
        until(lambda: "ssowatch" in machine.simulator.waiting(), "so does the watcher's child")
        machine.simulator.let_in("ssowatch")
        assert outcome(child) == "renewed"
        machine.simulator.let_in(sdk)
        assert said.result().ok
    assert "refreshToken" not in token(machine)
    the_refresh_token_is_missed(machine)
