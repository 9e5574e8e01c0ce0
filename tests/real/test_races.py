"""The table of races: real programs that renew one token at the same moment, under every refresh-token policy.

Rules of this file:
1. Four take part: the watcher's child, a hand at the keyboard, boto3, and the AWS SDK for JavaScript. All have read the
   old token before any of them has an answer (`Crossroads`); each row says whose call is looked at first.
2. No sign-in is lost: afterwards the file is whole, the portal takes its token, a renewal works, and so do all programs.
   The two exceptions are AWS's and the SDKs' doing, and there ssowatch must say so: a service that takes a reused
   refresh token for theft (`revoke`), and an SDK that writes a file without the refresh token that was not sent anew
   (`none`).
3. Of ssowatch's own processes one calls, however many there are.
4. What a client may see is an error of its own, at most once, and only where its token had run out: a row each.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from real.machine import AwsClient, Said, until, write_in_place
from real.true_clock import RUN_OUT, SOON, JsClient, age, on_true_clock, required, started

pytestmark = pytest.mark.real

POLICIES = ["same", "rotate", "grace", "revoke", "none"]
LIVES = {"lives": SOON, "has run out": RUN_OUT}
RACERS = ["ssowatch", "boto3", "js"]
REFRESH = ("refresh", "corp", "--json")
DUE = ("refresh", "--due", "corp", "--json")


@pytest.fixture
def machine(tmp_path_factory):
    with on_true_clock(tmp_path_factory.mktemp("r")) as machine:
        yield machine


def queued(program):
    """It stands before the write lock, or holds it: it has read the file that it will compare with."""
    folder = Path(f"/proc/{program.pid}/fd")
    required(sys.platform == "linux", "Linux, which shows a process's open files")
    with contextlib.suppress(OSError):
        return any(os.readlink(link).endswith(".write") for link in folder.iterdir())
    return False


def outcome(program):
    """What a `ssowatch refresh` came to."""
    program.process.wait(60)
    said = json.loads(program.said())
    return said["outcome"]


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
            except (ValueError, KeyError):
                self.torn += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


# All four


def raced(machine, first):
    """All four at once; what each of them came to."""
    simulator = machine.simulator
    sdks = {"boto3": machine.start_client(), "js": JsClient.start(machine)}
    simulator.hold()
    with ThreadPoolExecutor() as pool:
        said = {name: pool.submit(sdk.call, "dev") for name, sdk in sdks.items()}
        child = started(machine, *DUE)
        until(lambda: simulator.waiting() == set(RACERS), "all of them ask for a token")
        hand = started(machine, *REFRESH)
        until(lambda: queued(hand), "a hand waits for the child")
        for name in sorted(RACERS, key=lambda name: name != first):
            simulator.let_in(name)
        saw = {name: answer.result() for name, answer in said.items()}
    return sdks, {"child": outcome(child), "hand": outcome(hand), **saw}


@pytest.mark.parametrize("first", RACERS)
@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("policy", POLICIES)
def test_x(machine, policy, life, first, capsys):
    simulator = machine.simulator
    simulator.change(refresh_tokens=policy)
    machine.sign_in()
    age(machine, LIVES[life])
    with Reader(machine.token_file) as reader:
        sdks, saw = raced(machine, first)
    again = {name: sdk.call("dev") for name, sdk in sdks.items()}
    token = json.loads(machine.token_file.read_text())
    status = json.loads(machine.ssowatch("status", "--json").stdout)["sign_ins"][0]
    takes = simulator.takes(token["accessToken"])
    age(machine, RUN_OUT)
    ref = machine.ssowatch(*REFRESH)
    st2 = json.loads(machine.ssowatch("status", "--json").stdout)["sign_ins"][0]
    with capsys.disabled():
        f = lambda s: "ok" if s.ok else s.error
        print(f"\n{policy:7}{life:12}{first:9} child={saw['child']} hand={saw['hand']} boto={f(saw['boto3'])}/{f(again['boto3'])} js={f(saw['js'])}/{f(again['js'])} torn={reader.torn}/{reader.reads} rt={'refreshToken' in token} takes={takes} {status['state']} {status['problem'] and status['problem']['code']} | {ref.returncode} {json.loads(ref.stdout)['outcome']} {st2['state']} {st2['problem']}")
        print("   ", simulator.callers())
