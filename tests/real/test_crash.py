"""A token file that is replaced a thousand times under a reader's eyes, and by processes that are killed.

Rules of this file:
1. A reader sees the old file or the new one, never neither: a process of its own reads in a tight loop meanwhile.
2. `kill -9` may come at any moment of a renewal: in its start, before the call, in it, between the answer and the file,
   during the replacement, after it. The moments are seeded; which ones they were is printed and must be of every kind.
3. What a kill leaves is at most one temporary file, which the next try reuses; the next try heals.
"""

from __future__ import annotations

import json
import random
import stat
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from real.machine import PATIENCE, START_URL, bare_environ, until
from real.true_clock import RUN_OUT, age, on_true_clock
from simulator.faults import Fault
from simulator.faults import Kind as Weather

from ssowatch.clock import utc_now
from ssowatch.model import Kind, Policy, SignIn
from ssowatch.renewal import Result, renew

pytestmark = pytest.mark.real

MINUTE = timedelta(minutes=1)
CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))
RENEWALS = 1000
KILLS = 200
READER = """
import json, select, sys
reads, torn, tokens = 0, [], set()
print("reads", flush=True)
while reads % 100 or not select.select([sys.stdin], [], [], 0)[0]:
    reads += 1
    try:
        with open(sys.argv[1], "rb") as file:
            content = file.read()
        token = json.loads(content)
        tokens.add((token["accessToken"], token["refreshToken"]))
    except (OSError, ValueError, KeyError) as error:
        torn.append(repr(error))
print(json.dumps({"reads": reads, "torn": torn, "tokens": len(tokens)}))
"""


class Reader:
    """The tight loop, until asked what it saw."""

    def __init__(self, machine):
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER, machine.token_file],
            env=bare_environ(machine.home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "reads\n"

    def __enter__(self):
        return self

    def saw(self):
        return json.loads(self._process.communicate(timeout=PATIENCE)[0])

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def machine(request, tmp_path_factory, monkeypatch):
    """Its home and its Identity Center are the test process's own, too: it renews itself."""
    with on_true_clock(tmp_path_factory.mktemp("c"), session_length=60 * 24 * 60 * MINUTE, **request.param) as machine:
        for name, value in machine.environ.items():
            monkeypatch.setenv(name, value)
        yield machine


def token(machine):
    return json.loads(machine.token_file.read_text())["accessToken"]


class Stepping:
    """A clock that a test moves on."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return utc_now() + self.ahead


# A reader


@pytest.mark.parametrize("clock", [Stepping()], ids=[""])
@pytest.mark.parametrize("machine", [{}], indirect=True, ids=[""])
def test_a_thousand_renewals_are_never_seen_half_done(machine, clock):
    machine.simulator._clock = clock
    machine.sign_in()
    began = time.monotonic()
    with Reader(machine) as reader:
        for number in range(RENEWALS):
            clock.ahead += 31 * MINUTE  # due each time
            outcome = renew(CORP, Policy(), only_due=True, now=clock)
            assert outcome.result is Result.RENEWED, f"renewal {number}: {outcome}"
        saw = reader.saw()
    print(f"{RENEWALS} renewals in {time.monotonic() - began:.1f} s; {saw}")
    assert saw["torn"] == []
    assert saw["reads"] > 10 * RENEWALS
    assert saw["tokens"] > RENEWALS // 2, "it looked at the very time"
    assert machine.simulator.callers() == ["ssowatch ok"] * RENEWALS
    assert [path.name for path in machine.token_file.parent.iterdir()] == [machine.token_file.name]
