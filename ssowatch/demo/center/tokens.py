"""What a sign-in gives: access tokens and refresh tokens.

Rules of this file:
1. Three things end by themselves and independently, as on AWS: the access token, the session and the client
   registration.
2. A registration without scopes gets no refresh token, and an access token that lives as long as its session.
3. `now` and the settings are passed in, so a knob acts on the next call and never on what was given before.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import RefreshTokens, Settings


@dataclass(slots=True)
class RefreshToken:
    """A refresh token and what became of it."""

    session: Session
    client_id: str
    scopes: tuple[str, ...]
    consumed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token."""

    session: Session
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """What a client receives."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None


class Tokens:
    """All that was ever given out."""

    def __init__(self) -> None:
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}

    def give(
        self, session: Session, client_id: str, scopes: tuple[str, ...], now: datetime, settings: Settings
    ) -> Given:
        """The tokens of a new sign-in; with no scopes it cannot be renewed."""
        if not scopes:
            return Given(*self._give_access(session, now, session.ends_at - now, settings))
        access_token, expires_in = self._give_access(session, now, settings.token_life, settings)
        return Given(access_token, expires_in, self._give_refresh(session, client_id, scopes))

    def renew(self, text: str, client_id: str, now: datetime, settings: Settings) -> Given:
        """The tokens that a refresh token is good for, by the policy of the settings."""
        token = self._refresh.get(text)
        if token is None or token.client_id != client_id or not token.session.lives(now):
            raise Refusal("InvalidGrantException")
        following = self._use(text, token, now, settings)
        access_token, expires_in = self._give_access(token.session, now, settings.token_life, settings)
        return Given(access_token, expires_in, following)

    def scopes(self, text: str) -> tuple[str, ...]:
        """Those of a refresh token; none where it is not known."""
        return self._refresh[text].scopes if text in self._refresh else ()

    def bearer(self, access_token: str, now: datetime, settings: Settings) -> Session:
        """The session of the access token that was shown."""
        token = self._access.get(access_token)
        if token is None or now >= token.expires_at or token.session.logged_out:
            raise Refusal("UnauthorizedException")
        if settings.tokens_die_with_session and not token.session.lives(now):
            raise Refusal("UnauthorizedException")
        return token.session

    def _use(self, text: str, token: RefreshToken, now: datetime, settings: Settings) -> str | None:
        """The refresh token for next time."""
        policy = settings.refresh_tokens
        if token.consumed_at is not None:
            if policy is RefreshTokens.REVOKE:
                token.session.ended_at = now
            if policy is not RefreshTokens.GRACE or now >= token.consumed_at + settings.grace:
                raise Refusal("InvalidGrantException")
        if policy is RefreshTokens.SAME:
            return text
        if policy is RefreshTokens.NONE:
            return None
        token.consumed_at = token.consumed_at or now
        return self._give_refresh(token.session, token.client_id, token.scopes)

    def _give_access(self, session: Session, now: datetime, life: timedelta, settings: Settings) -> tuple[str, int]:
        if settings.short_tail:
            life = min(life, session.ends_at - now)
        expires_in = int(life.total_seconds())
        text = f"aoaAAAAA{_noise()}"
        self._access[text] = AccessToken(session, now + timedelta(seconds=expires_in))
        return text, expires_in

    def _give_refresh(self, session: Session, client_id: str, scopes: tuple[str, ...]) -> str:
        text = f"aorAAAAA{_noise()}"
        self._refresh[text] = RefreshToken(session, client_id, scopes)
        return text


def _noise() -> str:
    return secrets.token_urlsafe(192)
