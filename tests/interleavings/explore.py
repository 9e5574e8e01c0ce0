"""Depth first through all choices; a state that was met before is not gone into again.

Rules of this file:
1. A state is what the disk, the locks and the service hold, and what each actor was told so far. Two schedules that lead
   to one state go on alike, so the second is counted and not run.
2. Threads cannot be copied: each new branch is run from its beginning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from interleavings.oracle import Oracle
from interleavings.stage import Stage

Choice = tuple[str, str]


@dataclass
class Found:
    """What the exploration of one cast came to."""

    states: int = 0
    runs: int = 0
    steps: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    """By ends, which are states as well."""
    breaches: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """For each breach, the first schedule that led there."""
    ways: dict[object, Counter[object]] = field(default_factory=dict)

    def schedules(self) -> int:
        """How many different schedules there are from the beginning to an end."""
        counted: dict[object, int] = {}
        order = list(self.ways)
        stack = order[:1]
        while stack:
            state = stack[-1]
            after = self.ways.get(state, {})
            if missing := [one for one in after if one not in counted]:
                stack += missing
                continue
            counted[state] = sum(counted[one] * many for one, many in after.items()) if after else 1
            stack.pop()
        return counted[order[0]] if order else 0


def explore(
    stage: Stage,
    cast: tuple[str, ...],
    policy: str,
    life: str,
    budget: Mapping[str, int],
    *,
    exchanges: bool = True,
) -> Found:
    """All schedules of these actors; `budget` is how often what may happen (`crash`, `lost`, `busy`) in one of them.

    `exchanges`: two files can change their names here.
    """
    found = Found()
    stack: list[tuple[Choice, ...]] = [()]
    while stack:
        found.runs += 1
        stage.begin(policy, life, exchanges=exchanges)
        stage.start(cast)
        stack += _run(stage, cast, budget, stack.pop(), found)
        stage.finish()
    return found


def _run(
    stage: Stage, cast: tuple[str, ...], budget: Mapping[str, int], prefix: tuple[Choice, ...], found: Found
) -> list[tuple[Choice, ...]]:
    """From the beginning along `prefix`, then on to an end or a known state; the branches that were left aside."""
    left, path, told = dict(budget), list(prefix), []
    branches: list[tuple[Choice, ...]] = []
    before: object = None
    for number, choice in enumerate(prefix):
        if number == len(prefix) - 1:
            before = _state(stage, left)
        told.append(_take(stage, choice, left))
    while True:
        found.steps += 1
        state = _state(stage, left)
        if before is not None:
            found.ways.setdefault(before, Counter())[state] += 1
        if state in found.ways:
            break
        found.ways[state] = Counter()
        found.states += 1
        choices = stage.scheduler.choices(left)
        if not choices:
            _end(stage, cast, found, told)
            break
        branches += [(*path, other) for other in choices[1:]]
        before = state
        path.append(choices[0])
        told.append(_take(stage, choices[0], left))
    return branches


def _take(stage: Stage, choice: Choice, left: dict[str, int]) -> str:
    name, how = choice
    if how:
        left[how] -= 1
    return f"{name}: {stage.scheduler.take(name, how)}{f' ({how})' if how else ''}"


def _state(stage: Stage, left: Mapping[str, int]) -> int:
    return hash((stage.moment(), tuple(left.values())))


def _end(stage: Stage, cast: tuple[str, ...], found: Found, told: list[str]) -> None:
    stuck = [actor.name for actor in stage.scheduler.actors.values() if actor.step]
    oracle = Oracle(stage, cast)
    verdict = "stuck" if stuck else oracle.judge()
    found.verdicts[verdict] += 1
    for breach in [*oracle.breaches, *([f"stuck: {stuck}"] if stuck else [])]:
        found.breaches[breach] += 1
        found.examples.setdefault(breach, list(told))
