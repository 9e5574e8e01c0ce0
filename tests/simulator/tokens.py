"""What Identity Center gives out: client registrations, sessions, access tokens, refresh tokens.

Rules of this file:
1. Three things end by themselves and independently, as on AWS: the access token, the session (one interactive
   sign-in of a user at a portal) and the client registration.
2. Signing in again while a session lives joins that session and does not move its end; only ending it first does.
3. `now` and the settings are passed in, so a knob acts on the next call and never on what was given before.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.refusal import Refusal
from simulator.settings import RefreshTokens, Settings


@dataclass(frozen=True, slots=True)
class Registration:
    """A client registration."""

    client_id: str
    client_secret: str
    expires_at: datetime


@dataclass(slots=True)
class Session:
    """One interactive sign-in of a user at a portal."""

    user: str
    start_url: str
    begun_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    """When it was ended before its time."""
    logged_out: bool = False

    def lives(self, now: datetime) -> bool:
        """True while refresh tokens of this session may work."""
        return self.ended_at is None and now < self.ends_at


@dataclass(slots=True)
class RefreshToken:
    """A refresh token and what became of it."""

    session: Session
    client_id: str
    consumed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token."""

    session: Session
    expires_at: datetime


class Tokens:
    """All that was ever given out."""

    def __init__(self) -> None:
        self.registrations: dict[str, Registration] = {}
        self._sessions: list[Session] = []
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}

    def register(self, now: datetime, settings: Settings) -> Registration:
        """A new client registration; the secret is a JWT by its looks, as AWS's are."""
        client_id, secret = secrets.token_urlsafe(24), f"eyJraWQiOiJrZXktMTU2NDAyODA5OSJ9.{_noise()}"
        registration = Registration(client_id, secret, now + settings.registration_life)
        self.registrations[client_id] = registration
        return registration

    def client(self, client_id: str, client_secret: str, now: datetime) -> Registration:
        """The registration that the caller proves to have."""
        found = self.registrations.get(client_id)
        if found is None or found.client_secret != client_secret or now >= found.expires_at:
            raise Refusal("InvalidClientException")
        return found

    def living(self, now: datetime) -> list[Session]:
        """The sessions that have not ended."""
        return [session for session in self._sessions if session.lives(now)]

    def session(self, user: str, start_url: str, now: datetime, length: timedelta) -> Session:
        """The living session of this user at this portal, else a new one of that length."""
        for session in self.living(now):
            if (session.user, session.start_url) == (user, start_url):
                return session
        session = Session(user, start_url, now, now + length)
        self._sessions.append(session)
        return session

    def give_access(self, session: Session, now: datetime, life: timedelta, settings: Settings) -> tuple[str, int]:
        """A new access token and its `expiresIn`."""
        if settings.short_tail:
            life = min(life, session.ends_at - now)
        expires_in = int(life.total_seconds())
        text = f"aoaAAAAA{_noise()}"
        self._access[text] = AccessToken(session, now + timedelta(seconds=expires_in))
        return text, expires_in

    def give_refresh(self, session: Session, client_id: str) -> str:
        """A new refresh token."""
        text = f"aorAAAAA{_noise()}"
        self._refresh[text] = RefreshToken(session, client_id)
        return text

    def bearer(self, access_token: str, now: datetime, settings: Settings) -> Session:
        """The session of the access token that was shown."""
        token = self._access.get(access_token)
        if token is None or now >= token.expires_at or token.session.logged_out:
            raise Refusal("UnauthorizedException")
        if settings.tokens_die_with_session and not token.session.lives(now):
            raise Refusal("UnauthorizedException")
        return token.session

    def use_refresh(self, text: str, client_id: str, now: datetime, settings: Settings) -> tuple[Session, str | None]:
        """Use a refresh token: its session, and the refresh token for next time as the policy has it."""
        token = self._refresh.get(text)
        if token is None or token.client_id != client_id or not token.session.lives(now):
            raise Refusal("InvalidGrantException")
        policy = settings.refresh_tokens
        if token.consumed_at is not None:
            if policy is RefreshTokens.REVOKE:
                token.session.ended_at = now
            if policy is not RefreshTokens.GRACE or now >= token.consumed_at + settings.grace:
                raise Refusal("InvalidGrantException")
        if policy is RefreshTokens.SAME:
            return token.session, text
        if policy is RefreshTokens.NONE:
            return token.session, None
        token.consumed_at = token.consumed_at or now
        return token.session, self.give_refresh(token.session, client_id)


def _noise() -> str:
    return secrets.token_urlsafe(192)
