"""What a caller of `ensure` wants, and what it is told (rank 1, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Login(StrEnum):
    """What may be done when only a person can help."""

    AUTO = "auto"
    """A tab for a caller at a terminal, else what the modes table says."""
    BROWSER = "browser"
    ASK = "ask"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants. `seconds` is how long it waits for a person; None: as long as the sign-in takes."""

    since: datetime
    terminal: bool
    login: Login = Login.AUTO
    minutes: timedelta = timedelta()
    until: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The exit code of the contract (0, 1, 75), and a sentence for a person."""

    code: int
    message: str
