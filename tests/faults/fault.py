"""One fault."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum

from faults.scene import Scene


class When(StrEnum):
    """What the watcher is at when the fault begins."""

    AT_REST = "at rest"
    DUE = "a renewal due"
    """The fault comes first, then the moment of the renewal."""
    IN_CALL = "in a call"
    """The renewal child waits for the answer."""


ANY = (When.AT_REST, When.DUE, When.IN_CALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the catalogue."""

    name: str
    meet: Callable[[Scene, random.Random], AbstractContextManager[None]]
    """Breaks something at the beginning of the `with` and mends it at the end."""
    when: tuple[When, ...] = ANY
    calls_work: bool = True
    """Whether the calls of AWS programs go on meanwhile, since the token they use is good."""
    ends_sign_in: bool = False
    """Whether only a person can help afterwards."""
    damages_token: bool = False
    """Whether the fault itself spoils the token file for a while."""
    root: bool = False
    """Whether it takes root to break this."""
