"""Runs commands and tells what they cost. It is a process of its own because it is small.

The kernel counts the memory of whoever starts a program into the program's peak (`ru_maxrss` survives exec), so a big
process cannot measure the peak of a small one.

Started with an argument it is the small one: it reads `[argument list, environment]` as lines of JSON and answers
`[seconds, CPU seconds, peak KiB, exit code]`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Cost:
    """Of one run of a command."""

    seconds: float
    cpu: float
    peak_kib: int
    code: int


class Stopwatch:
    """A context manager; `run` runs a command, its output thrown away."""

    def __init__(self, python: str) -> None:
        self._python = python

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._python, "-I", "-S", __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
        """Run it in our environment, or in this one."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        print(json.dumps([list(command), {**(environ or os.environ)}]), file=self._process.stdin, flush=True)
        return Cost(*json.loads(self._process.stdout.readline()))

    def turns(
        self, base: Sequence[str], commands: Mapping[str, Sequence[str]], rounds: int
    ) -> tuple[list[Cost], dict[str, list[Cost]], dict[str, list[float]]]:
        """Each command after a run of `base`, round after round: the base's costs, theirs, and the ratios of the pairs."""
        bases, costs, ratios = [], {name: [] for name in commands}, {name: [] for name in commands}
        for command in (base, *commands.values()):
            self.run(command)  # warm: files in memory, byte code written
        for _ in range(rounds):
            for name, command in commands.items():
                bases.append(self.run(base))
                costs[name].append(self.run(command))
                ratios[name].append(costs[name][-1].seconds / bases[-1].seconds)
        return bases, costs, ratios


def milliseconds(costs: Sequence[Cost]) -> list[float]:
    """How long the runs took."""
    return [1000 * cost.seconds for cost in costs]


def median_cpu(costs: Sequence[Cost]) -> float:
    """Milliseconds of CPU of the middle one."""
    return 1000 * statistics.median(cost.cpu for cost in costs)


def serve() -> None:
    """Be the small one."""
    nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    for line in sys.stdin:
        command, environ = json.loads(line)
        began = time.perf_counter()
        pid = os.posix_spawn(command[0], command, environ, file_actions=nowhere)
        _, code, used = os.wait4(pid, 0)
        took = time.perf_counter() - began
        peak = used.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
        print(json.dumps([took, used.ru_utime + used.ru_stime, peak, os.waitstatus_to_exitcode(code)]), flush=True)


if __name__ == "__main__" and sys.argv[1:] == ["serve"]:
    serve()
