"""The command line of the campaign."""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from real.moved_clock import compiled

from faults.catalogue import FAULTS, IN_PAIRS, others
from faults.fault import Fault
from faults.names import NAMES
from faults.rounds import Played, Round, play
from faults.scene import ROOT
from faults.soak import soak

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): processes whose parent died become ours, so that they are found below us."""


def main() -> int:
    """0: every promise was kept; 1: at least one was not; 2: a wrong argument."""
    parser = argparse.ArgumentParser(
        prog="scripts/faults", description="Break things under ssowatch, and see what it does."
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next ones have the next numbers")
    parser.add_argument("--rounds", type=int, default=20, help="random rounds after the scripted matrix (default 20)")
    parser.add_argument("--minutes", type=float, help="random rounds only, for this long")
    parser.add_argument("--only", metavar="NAME", help="one round of this fault, or of two: 'A + B'")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="days of renewals in that time, and what grows")
    parser.add_argument("--list", action="store_true", help="the names of all faults")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("it needs Linux")
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    here = tuple(fault for fault in FAULTS if ROOT or not fault.root)
    if options.list:
        print("\n".join(fault.name for fault in FAULTS))
        return 0
    if len(here) < len(FAULTS):
        print(f"not root: {len(FAULTS) - len(here)} of {len(FAULTS)} faults cannot be made here", file=sys.stderr)
        if os.environ.get("SSOWATCH_CI") == "1":
            return 1
    if options.soak:
        with tempfile.TemporaryDirectory() as folder:
            return soak(compiled(Path(folder)), options.seed, options.soak)
    if options.only:
        known = {fault.name: fault for fault in here}
        names = options.only.split(" + ")
        if unknown := [name for name in names if name not in known]:
            parser.error(f"no such fault: {unknown[0]} (--list names them)")
        rounds = iter([Round(tuple(known[name] for name in names), options.seed)])
    elif options.minutes:
        rounds = _random(here, options.seed)
    else:
        rounds = _matrix(here, options.seed, options.rounds)
    played: list[Played] = []
    try:
        played.extend(_played(rounds, options.minutes))
    except KeyboardInterrupt:
        print("interrupted; what was played until then:", file=sys.stderr)
    return _report(played)


def _matrix(faults: tuple[Fault, ...], seed: int, more: int) -> Iterator[Round]:
    """Each fault at each moment that it can be met, what Identity Center answers in pairs, then random rounds."""
    for fault in faults:
        for number in range(len(fault.when)):
            yield Round((fault,), seed + number)
    for number, pair in enumerate(IN_PAIRS):
        yield Round(pair, seed + number)
    for _, one in zip(range(more), _random(faults, seed), strict=False):
        yield one


def _random(faults: tuple[Fault, ...], seed: int) -> Iterator[Round]:
    """One fault or two that can be met together, as the seed says."""
    for number in count(seed):
        chance = random.Random(number)
        first = chance.choice(faults)
        second = [one for one in others(first) if one in faults]
        yield Round((first, chance.choice(second)) if second and chance.random() < 0.4 else (first,), number)


def _played(rounds: Iterator[Round], minutes: float | None) -> Iterator[Played]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        shim = compiled(Path(folder))
        if ROOT:
            NAMES.serve(Path(folder))
        for one in rounds:
            played = play(one, shim)
            result = "kept" if not played.breaches else "BREACH"
            print(
                f"{result}: {one.name} (seed {one.seed}; {played.circumstances}; {played.seconds:.1f} s)",
                flush=True,
                file=sys.stderr,
            )
            if played.breaches:
                print(*played.breaches, f"--- the watcher said\n{played.log}---", sep="\n", file=sys.stderr)
                print(f"again: scripts/faults --seed {one.seed} --only '{one.name}'", file=sys.stderr, flush=True)
            yield played
            if minutes and time.monotonic() - began > 60 * minutes:
                return


def _report(played: list[Played]) -> int:
    """The table, on stdout."""
    print("| fault | rounds | promises kept |\n|---|---|---|")
    for name in dict.fromkeys(one.round.name for one in played):
        rows = [one for one in played if one.round.name == name]
        print(f"| {name} | {len(rows)} | {sum(not one.breaches for one in rows)} |")
    broken = [one for one in played if one.breaches]
    print(f"\n{len(played)} rounds, {len(broken)} with a breach")
    for one in broken:
        print(f"again: scripts/faults --seed {one.round.seed} --only '{one.round.name}'")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
