"""What a program asks of sso-oidc: to be registered, a device code, tokens.

Rules of this file:
1. An operation and a grant are each one row in a table.
2. Absent members of an answer are there as null, which is AWS's own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.registrations import ACCOUNT_ACCESS, CODE, DEVICE, REFRESH, Registration, is_portal
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.state import Parameters, Result, State
from ssowatch.demo.center.tokens import Given


class Oidc:
    """sso-oidc."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.operations: Mapping[str, Callable[[Parameters, datetime], Result]] = {
            "RegisterClient": self._register_client,
            "StartDeviceAuthorization": self._start_device_authorization,
            "CreateToken": self._create_token,
        }
        self._grants: Mapping[str, Callable[[Registration, Parameters, datetime], Given]] = {
            DEVICE: self._device,
            CODE: self._code,
            REFRESH: self._refresh,
        }

    def _register_client(self, parameters: Parameters, now: datetime) -> Result:
        registration = self._state.registrations.register(parameters, now, self._state.settings.registration_life)
        return {
            "authorizationEndpoint": None,
            "clientId": registration.client_id,
            "clientIdIssuedAt": int(now.timestamp()),
            "clientSecret": registration.client_secret,
            "clientSecretExpiresAt": int(registration.expires_at.timestamp()),
            "tokenEndpoint": None,
        }

    def _start_device_authorization(self, parameters: Parameters, now: datetime) -> Result:
        _need(parameters, "clientId", "clientSecret", "startUrl")
        settings, start_url = self._state.settings, str(parameters["startUrl"])
        if settings.other_region or not is_portal(start_url):
            raise Refusal("InvalidRequestException", "Invalid start URL provided")
        registration = self._state.registrations.proven(parameters, now)
        if not registration.may(DEVICE):
            raise Refusal("UnauthorizedClientException")
        code = self._state.device_codes.start(registration, start_url, now, settings)
        page = f"{self._state.url}/device"
        return {
            "deviceCode": code.device_code,
            "expiresIn": int(settings.device_life.total_seconds()),
            "interval": int(settings.device_interval.total_seconds()),
            "userCode": code.user_code,
            "verificationUri": page,
            "verificationUriComplete": f"{page}?{urlencode({'user_code': code.user_code})}",
        }

    def _create_token(self, parameters: Parameters, now: datetime) -> Result:
        _need(parameters, "clientId", "clientSecret", "grantType")
        if region := self._state.settings.other_region:
            raise Refusal("InvalidRequestRegionException", region=region, endpoint=f"oidc.{region}.amazonaws.com")
        registration = self._state.registrations.proven(parameters, now)
        name = str(parameters["grantType"])
        grant = self._grants.get(name)
        if grant is None:
            raise Refusal("UnsupportedGrantTypeException")
        if not registration.may(name):
            raise Refusal("UnauthorizedClientException")
        given = grant(registration, parameters, now)
        return {
            "accessToken": given.access_token,
            "aws_sso_app_session_id": None,
            "expiresIn": given.expires_in,
            "idToken": None,
            "issuedTokenType": None,
            "originSessionId": None,
            "refreshToken": given.refresh_token,
            "tokenType": "Bearer",
        }

    def _device(self, registration: Registration, parameters: Parameters, now: datetime) -> Given:
        _need(parameters, "deviceCode")
        _within(parameters, registration.scopes)
        state = self._state
        code = state.device_codes.redeem(str(parameters["deviceCode"]), registration.client_id, now, state.settings)
        return self._give(code.session, registration, registration.scopes, now)

    def _code(self, registration: Registration, parameters: Parameters, now: datetime) -> Given:
        _within(parameters, registration.scopes or (ACCOUNT_ACCESS,))
        code = self._state.authorization_codes.redeem(parameters, registration.client_id, now)
        return self._give(code.session, registration, code.scopes, now)

    def _give(
        self, session: Session | None, registration: Registration, scopes: tuple[str, ...], now: datetime
    ) -> Given:
        if session is None or not session.lives(now):  # it was ended between the button and this call
            raise Refusal("InvalidGrantException")
        renewable = scopes if registration.may(REFRESH) else ()
        return self._state.tokens.give(session, registration.client_id, renewable, now, self._state.settings)

    def _refresh(self, registration: Registration, parameters: Parameters, now: datetime) -> Given:
        _need(parameters, "refreshToken")
        text, tokens = str(parameters["refreshToken"]), self._state.tokens
        if granted := tokens.scopes(text):
            _within(parameters, granted)
        return tokens.renew(text, registration.client_id, now, self._state.settings)


def _need(parameters: Parameters, *names: str) -> None:
    if not all(parameters.get(name) for name in names):
        raise Refusal("InvalidRequestException")


def _within(parameters: Parameters, granted: tuple[str, ...]) -> None:
    asked = parameters.get("scope") or []
    if not isinstance(asked, list) or not set(map(str, asked)) <= set(granted):
        raise Refusal("InvalidScopeException")
