"""What a program asks of the access portal (sso), with an access token: accounts, roles, role credentials, an end.

Rules of this file:
1. The token is looked at first, so whoever has none learns nothing.
2. An account or role that is not assigned is Forbidden "No access", as on AWS, although no model knows that error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.state import Parameters, Result, State

_LARGEST_PAGE = 100
_NUMBER = re.compile(r"[0-9]{1,9}")


class Portal:
    """sso."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.operations: Mapping[str, Callable[[Parameters, datetime], Result]] = {
            "GetRoleCredentials": self._get_role_credentials,
            "ListAccounts": self._list_accounts,
            "ListAccountRoles": self._list_account_roles,
            "Logout": self._logout,
        }

    def _get_role_credentials(self, parameters: Parameters, now: datetime) -> Result:
        session = self._bearer(parameters, now)
        account_id, role = _need(parameters, "accountId"), _need(parameters, "roleName")
        settings = self._state.settings
        if role not in settings.roles(account_id):
            raise Refusal("ForbiddenException")
        name, end = f"AWSReservedSSO_{role}_0123456789abcdef", now + settings.role_life
        key = self._state.role_keys.give(account_id, name, session.user, end)
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
            for a in self._state.settings.accounts
        ]
        return _page("accountList", rows, parameters)

    def _list_account_roles(self, parameters: Parameters, now: datetime) -> Result:
        self._bearer(parameters, now)
        account_id = _need(parameters, "accountId")
        roles = self._state.settings.roles(account_id)
        if not roles:
            raise Refusal("ForbiddenException")
        return _page("roleList", [{"roleName": role, "accountId": account_id} for role in roles], parameters)

    def _logout(self, parameters: Parameters, now: datetime) -> Result:
        session = self._bearer(parameters, now)
        session.ended_at, session.logged_out = session.ended_at or now, True
        return {}

    def _bearer(self, parameters: Parameters, now: datetime) -> Session:
        if self._state.settings.other_region:
            raise Refusal("UnauthorizedException")
        return self._state.tokens.bearer(str(parameters.get("accessToken") or ""), now, self._state.settings)


def _need(parameters: Parameters, name: str) -> str:
    text = str(parameters.get(name) or "")
    if not text:
        raise Refusal("InvalidRequestException")
    return text


def _page(name: str, rows: list[dict[str, str]], parameters: Parameters) -> Result:
    start, size = str(parameters.get("nextToken") or 0), str(parameters.get("maxResults") or _LARGEST_PAGE)
    if not (_NUMBER.fullmatch(start) and _NUMBER.fullmatch(size)):
        raise Refusal("InvalidRequestException")
    if int(start) >= max(len(rows), 1) or not 1 <= int(size) <= _LARGEST_PAGE:
        raise Refusal("InvalidRequestException")
    end = int(start) + int(size)
    return {name: rows[int(start) : end], "nextToken": str(end) if end < len(rows) else None}
