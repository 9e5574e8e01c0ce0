"""What a person's browser asks: the page that PKCE sends it to, and the page where a device's code is typed.

Rules of this file:
1. Stateless but for the portal's cookie: each form posts to the address it came from, which is looked at anew.
2. A client or redirect address that is not known is a page of status 400 in the browser; the program that waits learns
   nothing. Whatever else goes wrong goes back to the program as `error=`.
3. With a living session at the portal only consent is asked, else a name first.
4. `outcome` of a page is one of sign_in, consent, code, allowed, denied, refused: what it asks, or what came of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from ssowatch.demo.center import pages
from ssowatch.demo.center.pages import Page
from ssowatch.demo.center.registrations import ACCOUNT_ACCESS, CODE, Registration
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import Approval
from ssowatch.demo.center.state import Parameters, State

_LONGEST_NAME = 64


class Visits:
    """The pages. A page (opened) and a form (a button pressed) are different operations, so that tabs can be counted."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.operations: Mapping[str, Callable[[Parameters, datetime], Page]] = {
            "AuthorizePage": self._authorize,
            "AuthorizeForm": self._authorize,
            "DevicePage": self._device,
            "DeviceForm": self._device,
        }

    def _authorize(self, parameters: Parameters, now: datetime) -> Page:
        registration = self._state.registrations.get(parameters.get("client_id", ""))
        uri = parameters.get("redirect_uri", "")
        if registration is None or now >= registration.expires_at or not registration.may(CODE):
            return Page("refused", 400, pages.problem("The client is not known."))
        if not registration.redirects_to(uri):
            return Page("refused", 400, pages.problem("The redirect address is not the client's."))

        def back(outcome: str, **answer: str) -> Page:
            state = {"state": parameters["state"]} if "state" in parameters else {}
            return Page(outcome, 302, location=f"{uri}?{urlencode({**answer, **state})}")

        granted = registration.scopes or (ACCOUNT_ACCESS,)
        scopes = tuple(parameters.get("scopes", "").split()) or granted
        if parameters.get("response_type") != "code":
            return back("refused", error="unsupported_response_type")
        if parameters.get("code_challenge_method") != "S256" or not parameters.get("code_challenge"):
            return back("refused", error="invalid_request")
        if not {*scopes} <= {*granted}:
            return back("refused", error="invalid_scope")

        def allow(session: Session) -> Page:
            challenge, settings = parameters["code_challenge"], self._state.settings
            codes, client_id = self._state.authorization_codes, registration.client_id
            return back("allowed", code=codes.give(session, client_id, uri, challenge, scopes, now, settings))

        def deny() -> Page:
            return back("denied", error="access_denied")

        return self._ask(parameters, now, registration, registration.issuer_url, allow, deny)

    def _device(self, parameters: Parameters, now: datetime) -> Page:
        typed = parameters.get("user_code", "")
        if not typed:
            return Page("code", body=pages.ask_code())
        code = self._state.device_codes.undecided(typed, now)
        if code is None:
            return Page("refused", 400, pages.ask_code(typed))

        def allow(session: Session) -> Page:
            code.session = session
            return Page("allowed", body=pages.allowed())

        def deny() -> Page:
            code.denied = True
            return Page("denied", body=pages.denied())

        return self._ask(parameters, now, code.registration, code.start_url, allow, deny, code.user_code)

    def _ask(
        self,
        parameters: Parameters,
        now: datetime,
        registration: Registration,
        portal: str,
        allow: Callable[[Session], Page],
        deny: Callable[[], Page],
        user_code: str = "",
    ) -> Page:
        """Who is it, and may it be?"""
        settings, sessions = self._state.settings, self._state.sessions
        form: Mapping[str, str] = parameters.get("form", {})
        if settings.approval is Approval.DENY:
            return deny()
        name = cookie_name(portal)
        session = sessions.of_cookie(parameters.get("cookies", {}).get(name, ""), portal, now, settings)
        cookies: Mapping[str, str] = {}
        if session is None:
            user = settings.user if settings.approval is Approval.AUTO else form.get("user", "").strip()
            if not user or len(user) > _LONGEST_NAME:
                return Page("sign_in", body=pages.sign_in(registration.name, portal, settings.user))
            session = sessions.sign_in(user, portal, now, settings)
            cookies = {name: sessions.give_cookie(session)}
        if settings.approval is Approval.AUTO or form.get("decision") == "allow":
            answer = allow(session)
        elif form.get("decision") == "deny":
            answer = deny()
        else:
            answer = Page("consent", body=pages.consent(registration.name, portal, session.user, user_code))
        return Page(answer.outcome, answer.status, answer.body, answer.location, cookies)


def cookie_name(portal: str) -> str:
    """Each portal has its own, as if it were on its own host."""
    return f"portal_{hashlib.sha256(portal.encode()).hexdigest()[:12]}"
