"""What a sign-in tells while it runs and at its end, as values (rank 1).

Rules of this file:
1. A message is for a person; codes, links and tokens are in no message and no `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person is needed now."""

    link: str = field(repr=False)
    """What the browser is given: PKCE: the one-time loopback link; device: the page with the code filled in."""
    code: str | None = field(repr=False)
    """The device's user code."""
    page: str | None
    """The device's page without the code."""
    deadline: datetime


class Result(StrEnum):
    """What became of it."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    DENIED = "denied"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`message` is for a person and holds no secret; `who` is the user, where that could be found out."""

    result: Result
    message: str
    who: str | None = None


class OverError(Exception):
    """It ended early, with an outcome."""

    def __init__(self, result: Result, message: str) -> None:
        super().__init__(message)
        self.outcome = Outcome(result, message)
