"""IAM Identity Center as a state machine: its operations, what else may happen to it, and a log of all calls.

Rules of this file:
1. Sans-IO: `now` is passed in; no clock, no socket, no thread, no lock. Only the secrets are random.
2. Whatever is called or visited, is logged: once, with its outcome.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ssowatch.demo.center.calls import NOBODY, Call, Caller, record
from ssowatch.demo.center.oidc import Oidc
from ssowatch.demo.center.pages import Page
from ssowatch.demo.center.portal import Portal
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.registrations import ACCOUNT_ACCESS, CODE, REFRESH
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import Settings, with_json
from ssowatch.demo.center.state import Parameters, Result, State
from ssowatch.demo.center.visits import Visits


class IdentityCenter:
    """The whole service. `url` is where its pages are."""

    def __init__(self, settings: Settings | None = None, url: str = "http://127.0.0.1") -> None:
        self.calls: list[Call] = []
        self._state = State(settings or Settings(), url)
        self._visits = Visits(self._state).operations
        self._operations = {
            **Oidc(self._state).operations,
            **Portal(self._state).operations,
            "GetCallerIdentity": self._state.role_keys.get_caller_identity,
            "AssumeRole": self._state.role_keys.assume_role,
        }

    @property
    def settings(self) -> Settings:
        """Those that hold now."""
        return self._state.settings

    # What happens to it

    def change(self, **changes: Any) -> None:
        """Turn knobs: the fields of `Settings`, spans as timedelta or seconds."""
        self._state.settings = with_json(self._state.settings, changes)

    def sign_in(
        self,
        now: datetime,
        *,
        user: str = "",
        start_url: str = "",
        refreshable: bool = True,
        client_id: str = "",
    ) -> dict[str, str]:
        """A person signs in; returns what the AWS CLI would write into the token file.

        `client_id` reuses the registration of an earlier sign-in, as the AWS CLI does while it is good.
        `refreshable=False` is a legacy profile, or a device login without scopes: a token as long as its session.
        """
        state, settings = self._state, self._state.settings
        start_url = start_url or settings.start_url
        registration = state.registrations.get(client_id)
        if registration is None:
            pkce: dict[str, Any] = {
                "scopes": (ACCOUNT_ACCESS,),
                "grants": (CODE, REFRESH),
                "redirect_uris": ("http://127.0.0.1/oauth/callback",),
                "issuer_url": start_url,
            }
            end = now + settings.registration_life
            registration = state.registrations.add(
                end, name="botocore-client-simulated", **(pkce if refreshable else {})
            )
        session = state.sessions.sign_in(user or settings.user, start_url, now, settings)
        scopes = (ACCOUNT_ACCESS,) if refreshable else ()
        given = state.tokens.give(session, registration.client_id, scopes, now, settings)
        content = {
            "startUrl": start_url,
            "region": settings.region,
            "accessToken": given.access_token,
            "expiresAt": _stamp(now + timedelta(seconds=given.expires_in)),
            "clientId": registration.client_id,
            "clientSecret": registration.client_secret,
            "registrationExpiresAt": _stamp(registration.expires_at),
        }
        return content | ({"refreshToken": given.refresh_token} if given.refresh_token else {})

    def end_session(self, now: datetime, *, user: str = "", start_url: str = "") -> int:
        """End the living sessions (of that user, at that portal) as an admin would; returns how many there were."""
        ended = [s for s in self.living(now) if user in {"", s.user} and start_url in {"", s.start_url}]
        for session in ended:
            session.ended_at = now
        return len(ended)

    def living(self, now: datetime) -> list[Session]:
        """The sessions that have not ended."""
        return self._state.sessions.living(now)

    def revoke_registrations(self) -> None:
        """Every client registration is forgotten: the files look good, the service says InvalidClient."""
        self._state.registrations.clear()

    # What is asked of it

    def call(self, operation: str, parameters: Parameters, now: datetime, caller: Caller = NOBODY) -> Result:
        """Do one operation of the service.

        Raises:
            Refusal: the service's error answer.

        """
        outcome = "ok"
        try:
            return self._operations[operation](parameters, now)
        except Refusal as refusal:
            outcome = refusal.code
            raise
        finally:
            self.log(operation, outcome, parameters, now, caller)

    def visit(self, operation: str, parameters: Parameters, now: datetime, caller: Caller = NOBODY) -> Page:
        """Show a page, or take what was pressed on it."""
        page = self._visits[operation](parameters, now)
        self.log(operation, page.outcome, parameters, now, caller)
        return page

    def log(self, operation: str, outcome: str, parameters: Parameters, now: datetime, caller: Caller = NOBODY) -> None:
        """Record a call; the edge does it for those that a fault kept away from `call`."""
        self.calls.append(record(now, operation, outcome, parameters, caller))


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
