"""The weather, as data: what goes wrong with which operation, and how often.

Rules of this file:
1. A fault says nothing of how it is done; the edge does it.
2. Each call meets at most one fault of each stage, the first that was set: a delay, a wrong clock and a broken answer
   may come together.
3. `count` is how many calls it meets; None is until it is cleared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

EVERY = "*"


class Kind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """The call is looked at only after `seconds`."""
    HANG = "hang"
    """No answer until the faults are cleared; never looked at."""
    INTERNAL_ERROR = "internal_error"
    """500, never looked at."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429, never looked at."""
    SLOW_DOWN = "slow_down"
    """400 SlowDownException, never looked at."""
    RESET_BEFORE = "reset_before"
    """The connection is reset before anything is done."""
    RESET_AFTER = "reset_after"
    """It is done, and the connection closed without an answer: the lost answer."""
    GARBAGE = "garbage"
    """200 with a page that is not JSON, as captive portals send; never looked at."""
    HALF = "half"
    """It is done, and half of the answer arrives."""
    MISSING_KEYS = "missing_keys"
    """It is done, and the answer lacks `keys` (all, when none is named)."""
    WRONG_DATE = "wrong_date"
    """The Date header is `seconds` off."""
    DOWN = "down"
    """Connections are refused, whatever the operation, until the faults are cleared."""


_STAGES = {Kind.LATENCY: "delay", Kind.HANG: "delay", Kind.WRONG_DATE: "clock"}
UNSEEN = {
    Kind.INTERNAL_ERROR: "InternalServerException",
    Kind.TOO_MANY_REQUESTS: "TooManyRequestsException",
    Kind.SLOW_DOWN: "SlowDownException",
}
"""The faults that are an error answer instead of the service's own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    kind: Kind
    operation: str = EVERY
    count: int | None = None
    seconds: float = 0.0
    keys: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """Faults of one stage exclude each other."""
        return _STAGES.get(self.kind, "answer")


class Faults:
    """Those that are set now."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From now on."""
        self._set.append(replace(fault))  # a copy: the same fault set twice is two faults

    def clear(self) -> None:
        """Fine weather."""
        self._set.clear()

    def meet(self, operation: str) -> dict[Kind, Fault]:
        """What one call of this operation meets; counts it."""
        met: dict[str, Fault] = {}
        for fault in self._set:
            if fault.operation in {EVERY, operation}:
                met.setdefault(fault.stage, fault)
        self._set = [_once_less(fault) if fault is met.get(fault.stage) else fault for fault in self._set]
        self._set = [fault for fault in self._set if fault.count != 0]
        return {fault.kind: fault for fault in met.values()}


def _once_less(fault: Fault) -> Fault:
    return fault if fault.count is None else replace(fault, count=fault.count - 1)
