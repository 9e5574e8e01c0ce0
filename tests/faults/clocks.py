"""Clocks that are set, and machines that sleep. Identity Center's clock is right all the time."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from faults.fault import Fault, When
from faults.scene import Scene

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@contextlib.contextmanager
def stepped(scene: Scene, chance: random.Random, by: timedelta) -> Iterator[None]:
    """The machine's clock goes wrong, and is set right again."""
    scene.clock.jump(by)
    try:
        yield
    finally:
        scene.clock.jump(-by)


@contextlib.contextmanager
def slept(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The machine sleeps for two hours to three days."""
    scene.pass_time(chance.uniform(2, 72) * HOUR)
    yield


@contextlib.contextmanager
def dozed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """A lid that opens and closes."""
    for _ in range(chance.randint(3, 6)):
        scene.pass_time(chance.uniform(0.1, 2) * HOUR)
        scene.linger(chance, 0.5)
    yield


_REST = (When.AT_REST, When.IN_CALL)
FAULTS = (
    Fault("suspend of 2 h to 3 d", slept, calls_work=False),
    Fault("a lid that opens and closes", dozed, calls_work=False),
    *(
        Fault(f"clock {name}", partial(stepped, by=by), _REST, calls_work=False)
        for name, by in {"+6 h": 6 * HOUR, "-6 h": -6 * HOUR, "+1 y": YEAR, "-1 y": -YEAR}.items()
    ),
)
