"""IAM Identity Center as a state machine: its operations, what a test may do to it, and a log of all calls.

Rules of this file:
1. Sans-IO: `now` is passed in; no clock, no socket, no thread, no lock. Only the secrets are random.
2. A grant type and an operation are each one row in a table.
3. Whatever is called, is logged: once, with its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from simulator.calls import NOBODY, Call, Caller, record
from simulator.refusal import Refusal
from simulator.role_keys import RoleKeys
from simulator.settings import Settings, with_json
from simulator.tokens import Registration, Session, Tokens

Parameters = Mapping[str, Any]
Result = dict[str, Any]


class IdentityCenter:
    """The whole service. `settings` may be changed at any time; what was given before keeps its terms."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.calls: list[Call] = []
        self._tokens = Tokens()
        self._role_keys = RoleKeys()
        self._operations: dict[str, Callable[[Parameters, datetime], Result]] = {
            "CreateToken": self._create_token,
            "GetRoleCredentials": self._get_role_credentials,
            "ListAccounts": self._list_accounts,
            "ListAccountRoles": self._list_account_roles,
            "Logout": self._logout,
            "GetCallerIdentity": self._role_keys.get_caller_identity,
            "AssumeRole": self._role_keys.assume_role,
        }
        self._grants: dict[str, Callable[[Registration, Parameters, datetime], Result]] = {
            "refresh_token": self._refresh,
        }

    # What a test does

    def change(self, **changes: Any) -> None:
        """Turn knobs: the fields of `Settings`, spans as timedelta or seconds."""
        self.settings = with_json(self.settings, changes)

    def sign_in(
        self,
        now: datetime,
        *,
        user: str = "someone",
        start_url: str = "",
        refreshable: bool = True,
        client_id: str = "",
    ) -> dict[str, str]:
        """A person signs in; returns what the AWS CLI would write into the token file.

        `client_id` reuses the registration of an earlier sign-in, as the AWS CLI does while it is good.
        `refreshable=False` is a legacy profile, or a device login without scopes: a token as long as its session.
        """
        start_url = start_url or self.settings.start_url
        registration = self._tokens.registrations.get(client_id) or self._tokens.register(now, self.settings)
        session = self._tokens.session(user, start_url, now, self.settings.session_length)
        life = self.settings.token_life if refreshable else session.ends_at - now
        access_token, expires_in = self._tokens.give_access(session, now, life, self.settings)
        content = {
            "startUrl": start_url,
            "region": self.settings.region,
            "accessToken": access_token,
            "expiresAt": _stamp(now + timedelta(seconds=expires_in)),
            "clientId": registration.client_id,
            "clientSecret": registration.client_secret,
            "registrationExpiresAt": _stamp(registration.expires_at),
        }
        if refreshable:
            content["refreshToken"] = self._tokens.give_refresh(session, registration.client_id)
        return content

    def end_session(self, now: datetime, *, user: str = "", start_url: str = "") -> int:
        """End the living sessions (of that user, at that portal) as an admin would; returns how many there were."""
        ended = [s for s in self._tokens.living(now) if user in {"", s.user} and start_url in {"", s.start_url}]
        for session in ended:
            session.ended_at = now
        return len(ended)

    def revoke_registrations(self) -> None:
        """Every client registration is forgotten: the files look good, the service says InvalidClient."""
        self._tokens.registrations.clear()

    # What a client does

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

    def log(self, operation: str, outcome: str, parameters: Parameters, now: datetime, caller: Caller = NOBODY) -> None:
        """Record a call; the edge does it for those that a fault kept away from `call`."""
        self.calls.append(record(now, operation, outcome, parameters, caller))

    # sso-oidc

    def _create_token(self, parameters: Parameters, now: datetime) -> Result:
        if not all(parameters.get(name) for name in ("clientId", "clientSecret", "grantType")):
            raise Refusal("InvalidRequestException")
        if region := self.settings.other_region:
            raise Refusal("InvalidRequestRegionException", region=region, endpoint=f"oidc.{region}.amazonaws.com")
        registration = self._tokens.client(str(parameters["clientId"]), str(parameters["clientSecret"]), now)
        grant = self._grants.get(str(parameters["grantType"]))
        if grant is None:
            raise Refusal("UnsupportedGrantTypeException")
        return grant(registration, parameters, now)

    def _refresh(self, registration: Registration, parameters: Parameters, now: datetime) -> Result:
        text = str(parameters.get("refreshToken") or "")
        if not text:
            raise Refusal("InvalidRequestException")
        session, following = self._tokens.use_refresh(text, registration.client_id, now, self.settings)
        access_token, expires_in = self._tokens.give_access(session, now, self.settings.token_life, self.settings)
        # The nulls are AWS's own: what is absent is there as null.
        return {
            "accessToken": access_token,
            "aws_sso_app_session_id": None,
            "expiresIn": expires_in,
            "idToken": None,
            "issuedTokenType": None,
            "originSessionId": None,
            "refreshToken": following,
            "tokenType": "Bearer",
        }

    # The access portal (sso)

    def _get_role_credentials(self, parameters: Parameters, now: datetime) -> Result:
        session = self._bearer(parameters, now)
        account_id, role = str(parameters.get("accountId", "")), str(parameters.get("roleName", ""))
        if role not in self.settings.roles(account_id):
            raise Refusal("ForbiddenException")
        name, end = f"AWSReservedSSO_{role}_0123456789abcdef", now + self.settings.role_life
        key = self._role_keys.give(account_id, name, session.user, end)
        return {
            "roleCredentials": {
                "accessKeyId": key.access_key_id,
                "secretAccessKey": key.secret_access_key,
                "sessionToken": key.session_token,
                "expiration": int(key.expires_at.timestamp() * 1000),
            }
        }

    def _list_accounts(self, parameters: Parameters, now: datetime) -> Result:
        self._bearer(parameters, now)
        rows = [
            {"accountId": a.account_id, "accountName": a.name, "emailAddress": f"{a.name}@example.com"}
            for a in self.settings.accounts
        ]
        return _page("accountList", rows, parameters)

    def _list_account_roles(self, parameters: Parameters, now: datetime) -> Result:
        self._bearer(parameters, now)
        account_id = str(parameters.get("accountId", ""))
        roles = self.settings.roles(account_id)
        if not roles:
            raise Refusal("ForbiddenException")
        return _page("roleList", [{"roleName": role, "accountId": account_id} for role in roles], parameters)

    def _logout(self, parameters: Parameters, now: datetime) -> Result:
        session = self._bearer(parameters, now)
        session.ended_at, session.logged_out = session.ended_at or now, True
        return {}

    def _bearer(self, parameters: Parameters, now: datetime) -> Session:
        if self.settings.other_region:
            raise Refusal("UnauthorizedException")
        return self._tokens.bearer(str(parameters.get("accessToken") or ""), now, self.settings)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(name: str, rows: list[dict[str, str]], parameters: Parameters) -> Result:
    start = int(parameters.get("nextToken") or 0)
    end = start + int(parameters.get("maxResults") or len(rows))
    return {name: rows[start:end], "nextToken": str(end) if end < len(rows) else None}
