"""One round: a scene at rest, a fault at some moment of a renewal, and what must be true afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from real.canaries import ProcessTable, below

from faults import oracle
from faults.fault import Fault, When
from faults.scene import Scene, scene


@dataclass(frozen=True, slots=True)
class Round:
    """What is played; name and seed give all of it."""

    faults: tuple[Fault, ...]
    seed: int

    @property
    def name(self) -> str:
        """Of the fault, or of both."""
        return " + ".join(fault.name for fault in self.faults)

    @property
    def when(self) -> When:
        """One seed after the other: one moment after the other."""
        moments = [when for when in When if all(when in fault.when for fault in self.faults)]
        return moments[self.seed % len(moments)]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a round."""

    round: Round
    breaches: tuple[str, ...]
    circumstances: str
    seconds: float
    log: str


def play(one: Round, shim: Path) -> Played:
    """Play it. Whatever goes wrong is a breach, never an exception."""
    chance, began = random.Random(f"{one.name} {one.seed}"), time.monotonic()
    breaches: list[str] = []
    circumstances = log = ""
    with (
        tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name,
        contextlib.ExitStack() as stack,
    ):
        try:
            processes = ProcessTable(os.getpid(), every=0.02)
            processes.start()
            stack.callback(processes.stop)
            machine = stack.enter_context(scene(Path(name), shim, chance))
            when = one.when
            circumstances = f"{when}, {machine.description}"
            breaches += _met(one.faults, machine, when, chance)
            for check in oracle.CHECKS:
                if breach := check(machine, one.faults, processes):
                    breaches.append(f"{check.__name__}: {breach}")
                    break
        except Exception as error:  # noqa: BLE001 - a fault that could not be played is no proof
            breaches.append(f"the round itself failed: {type(error).__name__}: {error}")
        if breaches and (output := Path(name) / "watcher.txt").exists():
            log = output.read_text(errors="replace")[-4000:]
    for pid in below(os.getpid()):  # such as a browser, whose parent is long gone
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return Played(one, tuple(breaches), circumstances, time.monotonic() - began, log)


def _met(faults: tuple[Fault, ...], machine: Scene, when: When, chance: random.Random) -> list[str]:
    """Meet the faults, and see whether AWS programs work meanwhile."""
    if when is When.IN_CALL:
        machine.hold_a_renewal()
    with contextlib.ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault.meet(machine, chance))
        if when is When.IN_CALL:
            machine.simulator.clear_faults()
        if when is When.DUE:
            machine.pass_time(timedelta(minutes=chance.randint(31, 40)))
        machine.linger(chance)
        assert machine.client
        if all(fault.calls_work for fault in faults):
            said = machine.client.call("dev")
            if not said.ok:
                return [f"a call failed while the token was good: {said}"]
        if when is When.DUE and chance.random() < 0.5:
            machine.pass_time(timedelta(minutes=chance.randint(5, 50)))  # the token may run out
            machine.linger(chance)
    return []
