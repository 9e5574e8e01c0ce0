"""The way to Identity Center: names and routes, in a network namespace of the campaign's own (as root)."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Iterator
from functools import partial

from simulator.faults import Fault as Weather
from simulator.faults import Kind

from faults.fault import Fault, When
from faults.names import NAMES
from faults.scene import ROOT, Scene


@contextlib.contextmanager
def names_are(scene: Scene, chance: random.Random, how: str) -> Iterator[None]:
    """Slow, refused, or never answered."""
    assert NAMES.is_alive(), "nobody asks the campaign's name server"
    NAMES.how = how
    try:
        yield
    finally:
        NAMES.how = "good"


@contextlib.contextmanager
def flapping(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Up and down, and each time a route appears that leads nowhere: the watcher is told of a network, and there is none."""
    for _ in range(chance.randint(3, 8)):
        scene.simulator.add_fault(Weather(Kind.DOWN))
        _route("add")
        scene.linger(chance, 0.5)
        _route("del")
        scene.simulator.clear_faults()
        scene.linger(chance, 0.5)
    yield


def _route(act: str) -> None:
    if ROOT:
        subprocess.run(["ip", "route", act, "192.0.2.0/24", "dev", "lo"], check=True)


_WHEN = (When.AT_REST, When.DUE)
FAULTS = (
    Fault("names take 4 s", partial(names_are, how="slow"), _WHEN, root=True),
    Fault("names are refused", partial(names_are, how="refused"), _WHEN, calls_work=False, root=True),
    Fault("names are never answered", partial(names_are, how="mute"), _WHEN, calls_work=False, root=True),
    Fault("a flapping network", flapping, _WHEN, calls_work=False),
)
