"""Processes that die at once, and such as stand still."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Iterator

from real.machine import until

from faults.fault import Fault, When
from faults.scene import Scene

_PAUSE = 3.0
"""Seconds that something stands still at most: many heartbeats."""


@contextlib.contextmanager
def watcher_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """`kill -9`, up to three times; its service manager starts it again."""
    for _ in range(chance.randint(1, 3)):
        assert scene.watcher
        os.kill(scene.watcher.pid, signal.SIGKILL)
        scene.watcher.process.wait()
        scene.linger(chance, 1.0)
    yield


@contextlib.contextmanager
def everything_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The watcher and all its children at the same moment, as a session's end or a power cut does."""
    assert scene.watcher
    scene.watcher.kill()
    yield


@contextlib.contextmanager
def child_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The renewal child."""
    child = until(scene.renewal_child, "a renewal child", look_every=0.001)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    yield


@contextlib.contextmanager
def stopped(scene: Scene, chance: random.Random, pid: int) -> Iterator[None]:
    """SIGSTOP, and after a while SIGCONT."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
        scene.linger(chance, _PAUSE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def watcher_stopped(scene: Scene, chance: random.Random) -> contextlib.AbstractContextManager[None]:
    """It hears nothing for a while."""
    assert scene.watcher
    return stopped(scene, chance, scene.watcher.pid)


def child_stopped(scene: Scene, chance: random.Random) -> contextlib.AbstractContextManager[None]:
    """It holds the write lock meanwhile."""
    return stopped(scene, chance, until(scene.renewal_child, "a renewal child", look_every=0.001))


def center_stopped(scene: Scene, chance: random.Random) -> contextlib.AbstractContextManager[None]:
    """Connections are taken and never answered."""
    return stopped(scene, chance, scene.simulator.pid)


@contextlib.contextmanager
def center_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Identity Center dies and comes back knowing nobody: what the server forgets, nobody can keep."""
    scene.lose_center()
    yield


FAULTS = (
    Fault("watcher killed", watcher_killed),
    Fault("watcher and children killed", everything_killed),
    Fault("renewal child killed", child_killed, (When.IN_CALL,)),
    Fault("watcher stopped", watcher_stopped),
    Fault("renewal child stopped", child_stopped, (When.IN_CALL,)),
    Fault("Identity Center stopped", center_stopped, (When.AT_REST, When.DUE), calls_work=False),
    Fault("Identity Center killed, its memory lost", center_killed, calls_work=False, ends_sign_in=True),
)
