"""A boto3 program that is never restarted, beside the watcher, through everything that happens to a sign-in.

Rules of this file:
1. All programs are real processes on one moved clock; the client's role credentials live 5 minutes, so each of its
   calls reads the token file.
2. The client's calls must work wherever any program could make them work. Where only a person can help, its error is
   named, and the same process must work again after the sign-in.
3. The client renews by itself below 15 minutes. That it never did is told by the user agent in Identity Center's log.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import threading
import time
from datetime import timedelta

import pytest
from real.machine import CLIENT_NAME, SSOWATCH_CONFIG, START_URL, moment, until, write_in_place
from simulator.faults import Fault, Kind

from ssowatch.paths import key

pytestmark = pytest.mark.real

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def set_up(machine):
    """A sign-in, the watcher, and a client that works."""
    machine.sign_in()
    machine.start_watcher()
    client = machine.start_client()
    assert client.works()
    return client


def renew(machine):
    """To the next announced renewal, and until it is done."""
    before = machine.until_fresh()["token_expires_at"]
    machine.jump_to_renewal()
    machine.until(lambda corp: corp["token_expires_at"] != before and machine.is_fresh(corp), "the watcher renewed")


def good(machine):
    """What `status --check` says to a script."""
    checked = machine.ssowatch("status", "corp", "--check")
    return (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


# Renewal


def test_twelve_renewals_in_six_hours_go_unnoticed(machine):
    old = machine.token_file.with_name(f"{key(START_URL)}.json")
    write_in_place(old, json.dumps(machine.simulator.sign_in(refreshable=False)))
    client = set_up(machine)
    began, untouched, tokens = machine.clock.now(), old.read_bytes(), set()
    for _ in range(12):
        before = machine.until_fresh()["token_expires_at"]
        machine.jump_to_renewal()
        machine.until(
            lambda corp, before=before: client.works("dev", "chained", "old") and corp["token_expires_at"] > before,
            "the watcher renewed, while the client calls all the time",
        )
        tokens.add(machine.token_file.read_text())
    assert machine.clock.now() - began > 5.8 * HOUR
    assert len(tokens) == 12
    assert machine.renewals() == ["ok"] * 12
    assert machine.renewals_of_clients() == []
    assert any(CLIENT_NAME in call.user_agent for call in machine.simulator.calls("GetRoleCredentials"))
    assert old.read_bytes() == untouched, "a legacy token is nobody's to write"
    assert good(machine)


OUTAGES = {
    "nothing answers, and no network": Fault(Kind.DOWN),
    "renewals meet 500": Fault(Kind.INTERNAL_ERROR, "CreateToken"),
    "renewals are throttled": Fault(Kind.TOO_MANY_REQUESTS, "CreateToken"),
    "renewals meet a captive portal": Fault(Kind.GARBAGE, "CreateToken"),
    "connections of renewals are reset": Fault(Kind.RESET_BEFORE, "CreateToken"),
}


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES.keys())
def test_ten_minutes_of_outage_go_unnoticed(machine, fault):
    client = set_up(machine)
    machine.simulator.add_fault(fault)
    machine.jump_to_renewal()
    machine.until(lambda corp: corp["problem"] and corp["problem"]["code"] == "unreachable", "an attempt failed")
    for _ in range(5):
        attempts = machine.watcher.said().count("corp: unreachable")
        due = moment(machine.corp()["renew_at"]) - machine.clock.now()  # whatever the jitter of the back-off drew
        machine.clock.jump(max(2 * MINUTE, due + SECOND))
        until(lambda: machine.watcher.said().count("corp: unreachable") > attempts, "another attempt")  # noqa: B023
        corp = machine.corp()
        assert (corp["state"], corp["renews_silently"]) == ("valid", True)
        if fault.kind is not Kind.DOWN:
            assert client.works()
    assert good(machine), "a renewal that fails is no reason to stop a script while the token is good"
    machine.simulator.clear_faults()
    machine.clock.jump(50 * SECOND)  # less than the minute that, in the middle of a call, would look like a wrong clock
    machine.until_fresh()
    assert client.works()
    assert machine.renewals_of_clients() == []
    assert machine.renewals()[-1] == "ok"
    assert "InvalidGrantException" not in machine.renewals()


# Torn files


def test_a_file_that_is_being_written_is_no_alarm(machine):
    client = set_up(machine)
    token = machine.token_file.read_text()
    stalled = False
    for pause in (0.1, 0.1, 0.3, 0.3):  # the longer ones are surely met by a heartbeat
        before = time.monotonic()
        os.truncate(machine.token_file, 0)
        time.sleep(pause)  # as long as a slow writer takes
        write_in_place(machine.token_file, token)
        stalled |= time.monotonic() - before > 0.8
        machine.until_fresh()
        assert client.works()
    if not stalled:  # else this machine was too slow for the question
        assert "login_required" not in machine.watcher.said()
    renew(machine)
    assert client.works()


@pytest.mark.parametrize("left", [0, 1, 300], ids=["nothing", "a brace", "half of it"])
def test_a_file_that_stays_torn_is_healed_by_a_sign_in(machine, left):
    client = set_up(machine)
    os.truncate(machine.token_file, left)
    corp = machine.until(lambda corp: corp["state"] == "login_required", "a torn file is noticed")
    assert corp["problem"]["code"] == "token_file"
    assert "ssowatch login" in corp["problem"]["fix"]
    assert client.call("dev").error == "KeyError", "boto3's own words for it"
    assert not good(machine)
    machine.sign_in()
    machine.until_fresh()
    assert client.works()
    renew(machine)
    assert client.works()
    assert machine.renewals() == ["ok"]


# Tokens that somebody else wrote


def renewed_by_boto3(machine, client):
    """Another AWS program, while the watcher is stopped: below 15 minutes it renews by itself."""
    before = machine.token_file.read_text()
    os.kill(machine.watcher.pid, signal.SIGSTOP)
    machine.clock.jump_to(moment(json.loads(before)["expiresAt"]) - 10 * MINUTE)
    other = machine.start_client()
    assert other.works("dev")
    assert machine.token_file.read_text() != before
    assert client.works(), "it takes the new token"
    os.kill(machine.watcher.pid, signal.SIGCONT)
    assert machine.renewals_of_clients() == ["ok"]


def signed_in_again(machine, client):
    """`aws sso login` while the sign-in is good: the same registration, written in place."""
    machine.clock.jump(10 * MINUTE)
    machine.sign_in(client_id=json.loads(machine.token_file.read_text())["clientId"])


def signed_in_elsewhere(machine, client):
    """A login by another program, which registers itself; written as the JS SDK writes."""
    machine.clock.jump(10 * MINUTE)
    token = machine.simulator.sign_in()
    token["expiresAt"] = token["expiresAt"].replace("Z", ".871Z")
    write_in_place(machine.token_file, json.dumps(token, indent=2))


@pytest.mark.parametrize("act", [renewed_by_boto3, signed_in_again, signed_in_elsewhere])
def test_a_token_that_another_program_wrote_is_taken_over(machine, act):
    client = set_up(machine)
    renew(machine)
    act(machine, client)
    mine = machine.renewals()
    written = moment(json.loads(machine.token_file.read_text())["expiresAt"])
    corp = machine.until(
        lambda corp: machine.is_fresh(corp) and moment(corp["token_expires_at"]) == written.replace(microsecond=0),
        "the watcher sees the new token",
    )
    assert moment(corp["renew_at"]) - machine.clock.now() > 25 * MINUTE
    assert machine.renewals() == mine, "a fresh token is left alone"
    renew(machine)
    assert client.works()
    assert machine.renewals() == [*mine, "ok"]
    assert "InvalidGrantException" not in machine.renewals_of_clients()


# The end of a sign-in


@pytest.mark.parametrize("machine", [pytest.param({"session_length": 105 * MINUTE}, id="105 min")], indirect=True)
def test_the_end_that_kills_the_token(machine):
    client = set_up(machine)
    ends = machine.simulator.now() + 105 * MINUTE  # half-way between two renewals
    while moment(machine.until_fresh()["renew_at"]) < ends:
        renew(machine)
        assert client.works()
    machine.jump_to_renewal()
    corp = machine.until(lambda corp: corp["state"] == "login_required", "the end is noticed")
    assert (corp["problem"]["code"], corp["renews_silently"], corp["good_until"]) == ("refused", False, None)
    assert client.call("dev").error == "UnauthorizedSSOTokenError"
    assert not good(machine)
    calls_and_heals(machine, client)


@pytest.mark.parametrize(
    "machine", [pytest.param({"tokens_die_with_session": False}, id="the token lives on")], indirect=True
)
def test_the_end_that_the_token_outlives(machine):
    config = machine.home / ".config/ssowatch/config.yaml"  # else the early end would be learned, and the next forecast
    config.write_text(f"{SSOWATCH_CONFIG}sign_ins: {{corp: {{length: 8h}}}}\n")
    client = set_up(machine)
    renew(machine)
    machine.simulator.end_session()
    machine.jump_to_renewal()
    corp = machine.until(lambda corp: corp["problem"], "the refusal is noticed")
    assert (corp["state"], corp["problem"]["code"], corp["renews_silently"]) == ("valid", "refused", False)
    assert (corp["good_until"], corp["renew_at"]) == (corp["token_expires_at"], None)
    assert client.works()
    expires = moment(corp["token_expires_at"])
    machine.clock.jump_to(expires - 10 * MINUTE)
    machine.until(lambda corp: corp["state"] == "expiring", "the warning time has begun")
    assert client.works(), "the token is good to its last second"
    machine.clock.jump_to(expires)
    machine.until(lambda corp: corp["state"] == "login_required", "the end is noticed")
    assert client.call("dev").error == "TokenRetrievalError"
    assert machine.renewals().count("InvalidGrantException") == 1, "a refusal is final for its token"
    calls_and_heals(machine, client)


def calls_and_heals(machine, client):
    """After a sign-in the very same client works, and so does renewal."""
    refusals = machine.renewals().count("InvalidGrantException")
    machine.sign_in(client_id=json.loads(machine.token_file.read_text())["clientId"])
    machine.until_fresh()
    assert client.works()
    renew(machine)
    assert client.works()
    assert machine.renewals()[-1] == "ok"
    assert machine.renewals().count("InvalidGrantException") == refusals == 1


# Clocks


@pytest.mark.parametrize("machine", [pytest.param({"session_length": 24 * HOUR}, id="24 h")], indirect=True)
@pytest.mark.parametrize(
    "by",
    [pytest.param(9 * HOUR, id="a night asleep"), pytest.param(-6 * HOUR, id="back"), pytest.param(6 * HOUR, id="on")],
)
def test_a_jump_of_the_clock_costs_one_renewal(machine, by):
    client = set_up(machine)
    renew(machine)
    before = machine.token_file.read_text()
    machine.clock.jump(by)
    jumped = time.monotonic()
    machine.until(
        lambda corp: (
            machine.token_file.read_text() != before
            and machine.is_fresh(corp)
            and moment(corp["token_expires_at"]) - machine.clock.now() <= HOUR
        ),
        "the token is renewed",
    )
    print(f"good again {time.monotonic() - jumped:.2f} s after the jump")
    assert client.works()
    assert machine.renewals() == ["ok", "ok"]
    machine.clock.jump(-by)
    machine.until(
        lambda corp: (
            machine.is_fresh(corp)
            and moment(corp["token_expires_at"]) - machine.clock.now() <= HOUR
            and machine.renewals() == ["ok"] * 3
        ),
        "and again, back at the old time",
    )
    assert client.works()
    assert machine.renewals_of_clients() == []
    renew(machine)
    assert client.works()


# Crashes


class Reader(threading.Thread):
    """Reads the token file all the time; `torn` is what no reader may ever see."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.torn, self.reads, self.done = path, [], 0, threading.Event()

    def run(self):
        while not self.done.wait(0.001):
            content = self.path.read_text()
            self.reads += 1
            try:
                token = json.loads(content)
                assert token["accessToken"]
                assert token["refreshToken"]
            except (ValueError, KeyError, AssertionError):
                self.torn.append(content)


def at_any_moment(machine, chance, calls):
    """From the start of a renewal to after its end."""
    time.sleep(chance.uniform(0, 1.0))  # not waiting: chance is what is wanted


def once_a_token_was_given_out(machine, chance, calls):
    """In the milliseconds around the replacement of the file."""
    until(lambda: len(machine.renewals()) > calls, "the watcher asked for a token", look_every=0.0005)
    time.sleep(chance.uniform(0, 0.005))


def before_it_is_written(machine, chance, calls):
    """Surely: whoever writes a token takes the memory's lock, and finds it held."""
    state = machine.home / ".local/state/ssowatch"
    memory, lock = state / "memory" / f"{key('corp')}.json", state / "locks" / f"{key('corp')}.memory"
    until(lambda: json.loads(memory.read_text())["token"]["attempts"], "an attempt is recorded", look_every=0.0005)
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        until(lambda: len(machine.renewals()) > calls, "the watcher asked for a token", look_every=0.0005)
        machine.watcher.kill()


MOMENTS = [at_any_moment, once_a_token_was_given_out, before_it_is_written]


def kill_some_time(machine, seed):
    """With its children, as in a power cut, or alone. True if a token was given out and did not come into the file."""
    chance, before, calls = random.Random(seed), machine.token_file.read_text(), len(machine.renewals())
    machine.jump_to_renewal()
    MOMENTS[seed % 3](machine, chance, calls)
    if chance.random() < 0.3:
        machine.watcher.process.kill()
        machine.watcher.process.wait()
        return False  # its child lives on
    machine.watcher.kill()
    return len(machine.renewals()) > calls and machine.token_file.read_text() == before


@pytest.mark.parametrize(
    "machine",
    [pytest.param({"refresh_tokens": "grace", "grace": 5 * MINUTE, "session_length": 60 * 24 * HOUR}, id="grace")],
    indirect=True,
)
def test_thirty_kills_lose_nothing(machine):
    client = set_up(machine)
    reader = Reader(machine.token_file)
    reader.start()
    lost = 0
    for seed in range(30):
        lost += kill_some_time(machine, seed)
        machine.clock.jump(30 * SECOND)  # past the back-off of the attempt that was cut off
        machine.start_watcher()
        machine.until_fresh()
        assert client.works(), f"after kill {seed}"
    reader.done.set()
    reader.join()
    print(f"{lost} of 30 kills came between the answer and the new file; {len(machine.renewals())} calls")
    assert lost >= 5, "some kills came at the worst moment"
    assert reader.reads > 1000
    assert not reader.torn
    assert set(machine.renewals()) == {"ok"}, "no renewal was refused: no refresh token was lost"
    assert len(machine.renewals()) <= 3 * 30
    assert machine.renewals_of_clients() == []
    assert len(list(machine.token_file.parent.iterdir())) <= 2, "a crash leaves at most the one temporary file"
