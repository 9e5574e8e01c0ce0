"""Sessions of a person at a portal, and the cookies by which a browser shows that it has one.

Rules of this file:
1. A session is of a user at a start URL. Whoever signs in there again while it lives joins it and does not move its end;
   only ending it first does.
2. A cookie stands for the person at the portal. Whether it survives the end of the sign-ins is a setting; it never
   survives the session's own end.
3. `now` and the settings are passed in, so a knob acts on the next call and never on what was given before.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from ssowatch.demo.center.settings import Settings


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

    def portal_lives(self, now: datetime, settings: Settings) -> bool:
        """True while the portal still knows the person who signed in."""
        return now < self.ends_at and (self.ended_at is None or settings.portal_outlives_sign_ins)


class Sessions:
    """All there ever were."""

    def __init__(self) -> None:
        self._all: list[Session] = []
        self._cookies: dict[str, Session] = {}

    def living(self, now: datetime) -> list[Session]:
        """The sessions that have not ended."""
        return [session for session in self._all if session.lives(now)]

    def sign_in(self, user: str, start_url: str, now: datetime, settings: Settings) -> Session:
        """The living session of this user at this portal, else a new one."""
        ends_at = now + settings.session_length
        for session in self._all:
            if (session.user, session.start_url) == (user, start_url) and session.portal_lives(now, settings):
                if session.lives(now):
                    return session
                ends_at = session.ends_at
        session = Session(user, start_url, now, ends_at)
        self._all.append(session)
        return session

    def give_cookie(self, session: Session) -> str:
        """What a browser shows from now on."""
        cookie = secrets.token_urlsafe(24)
        self._cookies[cookie] = session
        return cookie

    def of_cookie(self, cookie: str, start_url: str, now: datetime, settings: Settings) -> Session | None:
        """The living session of the person behind the cookie; None where they must sign in."""
        known = self._cookies.get(cookie)
        if known is None or known.start_url != start_url or not known.portal_lives(now, settings):
            return None
        return self.sign_in(known.user, start_url, now, settings)
