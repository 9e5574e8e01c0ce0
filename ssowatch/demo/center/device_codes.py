"""Device authorization (RFC 8628): a program polls with a device code while a person types a user code.

Rules of this file:
1. A device code is good for one sign-in, of the client that asked for it; a person decides on it once.
2. Polling faster than the interval is refused only while nothing is decided: SlowDown is a kind of "pending". The first
   poll does not count: by it the AWS CLI asks whether anybody has to be asked at all, and polls again at once.
3. A user code has no vowels, so that it spells nothing, and is read without regard to case, spaces and dashes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.registrations import Registration
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import Settings

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_FREE_POLLS = 2  # the one that does not count, and the one after it


@dataclass(slots=True)
class DeviceCode:
    """One authorization that is asked for, and what became of it."""

    registration: Registration
    start_url: str
    device_code: str
    user_code: str
    expires_at: datetime
    polls: int = 0
    polled_at: datetime | None = None
    denied: bool = False
    session: Session | None = None
    """Whose, once it was allowed."""
    redeemed: bool = False

    @property
    def decided(self) -> bool:
        """True once a person pressed a button."""
        return self.denied or self.session is not None


class DeviceCodes:
    """All that were ever asked for."""

    def __init__(self) -> None:
        self._by_device_code: dict[str, DeviceCode] = {}
        self._by_user_code: dict[str, DeviceCode] = {}

    def start(self, registration: Registration, start_url: str, now: datetime, settings: Settings) -> DeviceCode:
        """Ask for one."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        user_code = f"{letters[:4]}-{letters[4:]}"
        code = DeviceCode(registration, start_url, secrets.token_urlsafe(96), user_code, now + settings.device_life)
        self._by_device_code[code.device_code] = self._by_user_code[letters] = code
        return code

    def undecided(self, user_code: str, now: datetime) -> DeviceCode | None:
        """The one that a person is to decide on; None where there is none, or no longer."""
        found = self._by_user_code.get("".join(c for c in user_code.upper() if c.isalpha()))
        return found if found and not found.decided and now < found.expires_at else None

    def redeem(self, device_code: str, client_id: str, now: datetime, settings: Settings) -> DeviceCode:
        """Poll: the authorization, once it was allowed."""
        code = self._by_device_code.get(device_code)
        if code is None or code.registration.client_id != client_id or code.redeemed:
            raise Refusal("InvalidGrantException", "Invalid device code provided")
        if now >= code.expires_at:
            raise Refusal("ExpiredTokenException")
        if code.denied:
            raise Refusal("AccessDeniedException")
        if code.session is None:
            before, code.polled_at, code.polls = code.polled_at, now, code.polls + 1
            hasty = before is not None and code.polls > _FREE_POLLS and now < before + settings.device_interval
            raise Refusal("SlowDownException" if hasty else "AuthorizationPendingException")
        code.redeemed = True
        return code
