"""A token file that is replaced a thousand times under a reader's eyes, and by processes that are killed.

Rules of this file:
1. A reader sees the old file or the new one, never neither: a process of its own reads in a tight loop meanwhile.
2. `kill -9` may come at any moment of a renewal: in its start, before the call, in it, between the answer and the file,
   during the replacement, after it. The moments are seeded; which ones they were is printed and must be of every kind.
3. What a kill leaves is at most one temporary file, which the next try reuses; the next try heals.
"""

from __future__ import annotations

import functools
import json
import random
import stat
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from real.machine import PATIENCE, START_URL, bare_environ, until
from real.true_clock import RUN_OUT, age, on_true_clock, started

from ssowatch import cache
from ssowatch.clock import utc_now
from ssowatch.identity_center import IdentityCenter
from ssowatch.model import Kind, Policy, SignIn
from ssowatch.renewal import Result, renew

pytestmark = pytest.mark.real

MINUTE = timedelta(minutes=1)
CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))
RENEWALS = 1000
portal_of = functools.cache(IdentityCenter)
"""The real one, made once: making it is what takes long, and what the service does in a process of its own."""
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
def machine(tmp_path_factory, monkeypatch):
    """Its home and its Identity Center are the test process's own, too: it renews itself."""
    length = timedelta(days=60)
    with on_true_clock(tmp_path_factory.mktemp("c"), session_length=length, refresh_tokens="grace") as machine:
        for name, value in machine.environ.items():
            monkeypatch.setenv(name, value)
        yield machine


class Stepping:
    """A clock that a test moves on."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return utc_now() + self.ahead


# A reader


def test_a_thousand_renewals_are_never_seen_half_done(machine):
    clock = machine.simulator._clock = Stepping()
    machine.sign_in()
    began = time.monotonic()
    with Reader(machine) as reader:
        for number in range(RENEWALS):
            clock.ahead += 31 * MINUTE  # due each time
            outcome = renew(CORP, Policy(), only_due=True, portal=portal_of, now=clock)
            assert outcome.result is Result.RENEWED, f"renewal {number}: {outcome}"
        saw = reader.saw()
    print(f"{RENEWALS} renewals in {time.monotonic() - began:.1f} s; {saw}")
    assert saw["torn"] == []
    assert saw["reads"] > 10 * RENEWALS
    assert saw["tokens"] > RENEWALS // 2, "it looked at the very time"
    assert machine.simulator.callers() == ["ssowatch ok"] * RENEWALS
    assert [path.name for path in machine.token_file.parent.iterdir()] == [machine.token_file.name]


# Kills


def at_any_moment(machine, chance, life):
    """From its start to its end."""
    time.sleep(chance.uniform(0, life))  # not waiting: chance is what is wanted


def while_it_asks(machine, chance, life):
    """Its call has arrived and is not answered; it will be, to nobody."""
    until(machine.simulator.waiting, "it asks", look_every=0.001)


def once_it_is_answered(machine, chance, life):
    """In the milliseconds around the replacement of the file: at once, a little later, or as soon as it is seen."""
    old = machine.token_file.stat().st_ino
    assert machine.simulator.gave.wait(PATIENCE)
    match chance.randrange(3):
        case 1:
            time.sleep(chance.uniform(0, 0.006))  # the same
        case 2:
            until(lambda: machine.token_file.stat().st_ino != old, "it wrote", look_every=0.0002)


MOMENTS = {at_any_moment: 80, while_it_asks: 30, once_it_is_answered: 90}
SURELY_MET = {
    at_any_moment: {"before it asked"},
    while_it_asks: {"between answer and file"},
    once_it_is_answered: {"between answer and file", "after it wrote"},
}
"""Whatever the machine: some of the kills of that row came there."""


def renewed_as_the_watcher_does(machine):
    return started(machine, "refresh", "--due", "corp", "--json")


def life_of_a_child(machine):
    """Seconds; the median of three."""
    lives = []
    for _ in range(3):
        age(machine, RUN_OUT)
        began = time.monotonic()
        assert renewed_as_the_watcher_does(machine).process.wait(PATIENCE) == 0
        lives.append(time.monotonic() - began)
    return sorted(lives)[1]


@pytest.mark.parametrize("moment", MOMENTS)
def test_kills_lose_nothing(machine, moment):
    simulator, folder = machine.simulator, machine.token_file.parent
    leftover = f".{machine.token_file.name}.ssowatch.tmp"
    machine.sign_in()
    life, chance, met, left = life_of_a_child(machine), random.Random(1), Counter(), 0
    for number in range(MOMENTS[moment]):
        old = age(machine, RUN_OUT)
        calls = len(simulator.given)
        simulator.gave.clear()
        if moment is while_it_asks:
            simulator.hold()
        child = renewed_as_the_watcher_does(machine)
        moment(machine, chance, life)
        ended = not child.lives()
        child.kill()
        if moment is while_it_asks:
            simulator.let_in("ssowatch")

        new = json.loads(machine.token_file.read_text())
        assert new == old or new["accessToken"] in simulator.given[calls:], f"kill {number}: neither old nor new"
        assert new["refreshToken"]
        assert stat.S_IMODE(machine.token_file.stat().st_mode) == 0o600
        beside = {path.name for path in folder.iterdir()} - {machine.token_file.name}
        assert beside <= {leftover}, f"kill {number} left {beside}"
        left += len(beside)
        if ended:
            met["too late"] += 1
        elif new != old:
            met["after it wrote"] += 1
        else:
            met["between answer and file" if len(simulator.given) > calls else "before it asked"] += 1

        outcome = renew(CORP, Policy(), only_due=False, portal=portal_of)
        assert outcome.result is Result.RENEWED or (outcome.result is Result.NOT_DUE and new != old), outcome
        assert portal_of(CORP).lives(cache.load("corp")), f"kill {number}: a dead token"
        assert [path.name for path in folder.iterdir()] == [machine.token_file.name], f"after kill {number}"
    print(f"{moment.__name__}: a child lives {life:.2f} s; {dict(met)}; {left} left a temporary file")
    assert set(met) >= SURELY_MET[moment]
    assert set(simulator.callers()) == {"ssowatch ok"}, "no refresh token was lost"
    state = machine.home / ".local/state/ssowatch"
    assert len(list((state / "memory").iterdir())) <= 2, "a memory, and what one kill left of another"
