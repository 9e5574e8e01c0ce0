"""The accelerated soak: days of renewals, small faults and uses in minutes, and what of the watcher grows meanwhile.

Rules of this file:
1. Time passes in steps of half a token's life, each of which ends with a renewed token: thousands of ticks, hundreds of
   children.
2. What is measured is the watcher's own: private memory (`Pss_Anon`), descriptors, threads, children that live. The
   first quarter is the warm-up; the highest value of the second is held against the highest of the last.
3. Descriptors, threads and children may not grow at all; memory by at most `_MORE_MEMORY`, which a leak of 100 bytes a
   tick would pass within a day.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from dataclasses import astuple, dataclass
from datetime import timedelta
from pathlib import Path

from real.canaries import below
from real.machine import until
from simulator.faults import Fault as Weather
from simulator.faults import Kind

from faults import processes, weather
from faults.scene import Scene, scene

_MORE_MEMORY = 512
"""KiB."""
_SMALL = (Kind.INTERNAL_ERROR, Kind.TOO_MANY_REQUESTS, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.HALF, Kind.GARBAGE)


@dataclass(frozen=True, slots=True)
class Size:
    """Of the watcher at one moment, when it is at rest."""

    memory: int
    descriptors: int
    threads: int
    children: int


def measured(pid: int) -> Size:
    """From /proc."""
    found = re.search(r"^Pss_Anon: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return Size(
        int(found[1]),
        sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()),
        len(below(pid)),
    )


def _at_rest(pid: int) -> Size:
    """The least of some looks: a thread that waited for a child may be about to end."""
    looks = []
    for _ in range(10):
        looks.append(astuple(measured(pid)))
        time.sleep(0.02)
    return Size(*map(min, zip(*looks, strict=True)))


def soak(shim: Path, seed: int, minutes: float) -> int:
    """Print the table; 1 if something grew."""
    chance, end = random.Random(seed), time.monotonic() + 60 * minutes
    sizes: list[Size] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, scene(Path(folder), shim, chance) as machine:
        began = machine.clock.now()
        while time.monotonic() < end:
            _step(machine, chance)
            assert machine.watcher
            pid = machine.watcher.pid
            until(lambda pid=pid: not below(pid), "its children have ended")
            sizes.append(_at_rest(pid))
        passed, renewals = machine.clock.now() - began, machine.renewals().count("ok")
        assert machine.exits == [], "the watcher ended in between"
    return _report(sizes, passed, renewals)


def _step(machine: Scene, chance: random.Random) -> None:
    """One renewal, in one of six with a fault before it, and a use."""
    before = machine.corp()["token_expires_at"]
    if chance.random() < 1 / 6:
        with weather.weather(machine, chance, Weather(chance.choice(_SMALL), "CreateToken")):
            machine.jump_to_renewal()
            machine.linger(chance, 1.0)
        machine.pass_time(timedelta(minutes=6))
    elif chance.random() < 1 / 10:
        machine.hold_a_renewal()
        with processes.child_killed(machine, chance):
            machine.simulator.clear_faults()
        machine.pass_time(timedelta(minutes=6))
    else:
        machine.jump_to_renewal()
    machine.until(lambda corp: corp and corp["token_expires_at"] != before and machine.is_fresh(corp), "it renewed")
    assert machine.client
    said = machine.client.call("dev")
    assert said.ok, said
    if chance.random() < 1 / 5:
        assert machine.ssowatch("status").returncode == 0


def _report(sizes: list[Size], passed: timedelta, renewals: int) -> int:
    length = len(sizes) // 4
    quarters = [_highest(sizes[start : start + length]) for start in range(0, 4 * length, length)]
    _, early, _, late = map(astuple, quarters)
    print(f"{passed / timedelta(days=1):.1f} days, {renewals} renewals\n")
    print("| highest of the | memory of its own (KiB) | descriptors | threads | children |\n|---|---|---|---|---|")
    for name, size in zip(("first", "second", "third", "last"), quarters, strict=True):
        print(f"| {name} quarter | {' | '.join(map(str, astuple(size)))} |")
    grew = any(b > a for a, b in zip(early[1:], late[1:], strict=True)) or late[0] > early[0] + _MORE_MEMORY
    print("\nsomething grew" if grew else "\nnothing grew")
    return int(grew)


def _highest(sizes: list[Size]) -> Size:
    return Size(*map(max, zip(*map(astuple, sizes), strict=True)))
