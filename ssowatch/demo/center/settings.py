"""What may be chosen about the simulated Identity Center.

Rules of this file:
1. Each field is one fact that AWS lets an admin choose, or one that nobody outside AWS knows for sure; for the latter
   the default is the harsher guess.
2. Settings travel as JSON with spans in seconds, so that a process of its own can be given them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any


class RefreshTokens(StrEnum):
    """What becomes of a refresh token that was used. AWS documents none of it, so every one is simulated."""

    SAME = "same"
    """The same token comes back."""
    ROTATE = "rotate"
    """A new one comes back, the old one is dead at once."""
    GRACE = "grace"
    """A new one comes back, the old one goes on for `grace`."""
    REVOKE = "revoke"
    """As ROTATE, and using a dead one ends the whole session."""
    NONE = "none"
    """None comes back, the old one stays good."""


class Approval(StrEnum):
    """What becomes of a request for access that is opened in a browser."""

    PAGE = "page"
    """A page asks; a person, or a test in its place, presses a button."""
    AUTO = "auto"
    """It is allowed at once, in the name of `user`: the person who never reads."""
    DENY = "deny"
    """It is denied at once."""


@dataclass(frozen=True, slots=True)
class Account:
    """One AWS account that the user is assigned to."""

    account_id: str
    name: str
    roles: tuple[str, ...]


ACCOUNTS = (
    Account("111111111111", "development", ("ReadOnly", "Developer")),
    Account("222222222222", "production", ("ReadOnly",)),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The knobs."""

    start_url: str = "https://d-1234567890.awsapps.com/start"
    region: str = "us-east-1"
    token_life: timedelta = timedelta(hours=1)
    """`expiresIn` of a refreshable access token. One that is not refreshable lives as long as its session."""
    session_length: timedelta = timedelta(hours=8)
    """Of the sessions that begin from now on; a living one keeps its end."""
    role_life: timedelta = timedelta(hours=1)
    registration_life: timedelta = timedelta(days=90)
    refresh_tokens: RefreshTokens = RefreshTokens.ROTATE
    grace: timedelta = timedelta(seconds=60)
    short_tail: bool = False
    """Whether `expiresIn` is cut so that no token outlives its session."""
    tokens_die_with_session: bool = True
    """Whether an access token is refused once its session has ended. Logout kills them in any case."""
    portal_outlives_sign_ins: bool = False
    """What Logout, or an admin, ends: the sign-in and the portal session it came from; or, when set, the sign-in alone.
    Then a browser that is still signed in to the portal is asked for consent only, and the new sign-in ends when the
    ended one would have."""
    approval: Approval = Approval.PAGE
    user: str = "someone"
    """Who signs in where no page asks for a name."""
    device_life: timedelta = timedelta(seconds=600)
    """Of a device code, and of its user code."""
    device_interval: timedelta = timedelta(seconds=1)
    """Polling faster than this is told to slow down."""
    code_life: timedelta = timedelta(seconds=60)
    """Of an authorization code."""
    other_region: str = ""
    """When set: the Identity Center lives there, and its clients ask in the wrong region."""
    accounts: tuple[Account, ...] = ACCOUNTS

    def roles(self, account_id: str) -> tuple[str, ...]:
        """The roles of the user in that account; none where there is no assignment."""
        return next((a.roles for a in self.accounts if a.account_id == account_id), ())


def with_json(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """`settings` with `changes`, whose spans are numbers of seconds and whose policy is a word."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in changes.items():
        if name not in values or name == "accounts":
            raise ValueError(f"no such setting: {name}")
        if isinstance(values[name], timedelta):
            values[name] = value if isinstance(value, timedelta) else timedelta(seconds=value)
        else:
            values[name] = type(values[name])(value)
    return Settings(**values)


def to_json(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The other direction, for the wire."""
    return {name: v.total_seconds() if isinstance(v, timedelta) else v for name, v in changes.items()}
