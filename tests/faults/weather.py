"""Identity Center and the way there: each fault of the simulator, for one operation or for all."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from simulator.faults import EVERY, Kind
from simulator.faults import Fault as Weather

from faults.fault import Fault, When
from faults.scene import Scene

_RENEWAL = "CreateToken"


@contextlib.contextmanager
def weather(scene: Scene, chance: random.Random, row: Weather) -> Iterator[None]:
    """This one, for one call, for two, or until it clears."""
    scene.simulator.add_fault(replace(row, count=chance.choice([1, 2, None])))
    try:
        yield
    finally:
        scene.simulator.clear_faults()


@contextlib.contextmanager
def session_ended(scene: Scene, chance: random.Random) -> Iterator[None]:
    """An admin ends the sign-in: the next renewal is answered by InvalidGrant."""
    scene.simulator.end_session()
    yield


@contextlib.contextmanager
def registrations_revoked(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The client is unknown from now on: InvalidClient."""
    scene.simulator.revoke_registrations()
    yield


WEATHERS = {
    "renewals meet 500": Weather(Kind.INTERNAL_ERROR, _RENEWAL),
    "renewals meet 429": Weather(Kind.TOO_MANY_REQUESTS, _RENEWAL),
    "renewals meet SlowDown": Weather(Kind.SLOW_DOWN, _RENEWAL),
    "renewals are reset": Weather(Kind.RESET_BEFORE, _RENEWAL),
    "answers are lost": Weather(Kind.RESET_AFTER, _RENEWAL),
    "answers are truncated": Weather(Kind.HALF, _RENEWAL),
    "answers are HTML": Weather(Kind.GARBAGE, _RENEWAL),
    "answers lack their keys": Weather(Kind.MISSING_KEYS, _RENEWAL),
    "renewals hang": Weather(Kind.HANG, _RENEWAL),
    "renewals take 3 s": Weather(Kind.LATENCY, _RENEWAL, seconds=3),
    "dates are a day off": Weather(Kind.WRONG_DATE, EVERY, seconds=86_400),
    "no network": Weather(Kind.DOWN),
    "everything meets 500": Weather(Kind.INTERNAL_ERROR),
    "everything is HTML": Weather(Kind.GARBAGE),
}
_WHEN = (When.AT_REST, When.DUE)
FAULTS = (
    *(Fault(name, partial(weather, row=row), _WHEN, row.operation != EVERY) for name, row in WEATHERS.items()),
    Fault("the sign-in is ended", session_ended, _WHEN, calls_work=False, ends_sign_in=True),
    Fault("the registration is revoked", registrations_revoked, _WHEN, calls_work=False, ends_sign_in=True),
)
