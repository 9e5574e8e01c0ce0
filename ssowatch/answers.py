"""What Identity Center said, as values (rank 1): a decision depends on them, so they are no exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """A new token. `skew` is the local clock minus the server's."""

    access_token: str
    refresh_token: str | None
    life: timedelta
    skew: timedelta

    def __repr__(self) -> str:
        return f"Granted(life={self.life!r}, secrets hidden)"


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS answered no; `code` is ours (`ended`, `registration`, `not_allowed`, `wrong_region`)."""

    code: str
    reason: str
    skew: timedelta


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer. `maybe_acted`: the request may have been acted upon and the answer lost."""

    reason: str
    maybe_acted: bool


Answer = Granted | Refusal | Unanswered
