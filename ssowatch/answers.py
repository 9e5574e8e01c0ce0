"""What Identity Center said, as values (rank 1): a decision depends on them, so they are no exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """A new token. `skew` is the local clock minus the server's."""

    access_token: str
    refresh_token: str | None
    life: timedelta
    skew: timedelta

    def __repr__(self) -> str:
        return f"Granted(life={self.life!r}, secrets hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class Registration:
    """A client registration: what AWS knows a program by. `expires_at` is its end, about 90 days after its beginning."""

    client_id: str
    client_secret: str
    registered_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Registration(expires_at={self.expires_at!r}, secrets hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class DeviceCode:
    """A device authorization that waits for a person (RFC 8628). `interval` is how often may be asked."""

    device_code: str
    user_code: str
    page: str
    link: str
    """The page with the code filled in."""
    expires_at: datetime
    interval: timedelta

    def __repr__(self) -> str:
        return f"DeviceCode(expires_at={self.expires_at!r}, codes hidden)"


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not decided yet. `slower`: we asked too often."""

    slower: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in: the user's name, and the accounts there as the portal calls them."""

    name: str | None = None
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS answered no; `code` is ours.

    Of a renewal: `ended`, `registration`, `not_allowed`, `wrong_region`. Of a sign-in: `registration`, `denied`,
    `expired`, `code`, `config`.
    """

    code: str
    reason: str
    skew: timedelta


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer. `maybe_acted`: the request may have been acted upon and the answer lost."""

    reason: str
    maybe_acted: bool


Answer = Granted | Refusal | Unanswered
