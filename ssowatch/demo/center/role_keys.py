"""The STS half: role credentials, who they belong to, and what they may do.

Rules of this file:
1. Pure: `now` is passed in.
2. The signature of a request is not checked, only that its access key is known and has not run out: a client that
   signs with keys nobody gave it is noticed, one that signs wrongly is botocore's business.
3. Role credentials survive the end of the session that gave them, as on AWS.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ssowatch.demo.center.refusal import Refusal

_KEY_LETTERS = string.ascii_uppercase + "234567"
_CHAINED_LIFE = timedelta(hours=1)
_SPAN = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class RoleKey:
    """One set of role credentials."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account_id: str
    role: str
    session_name: str
    expires_at: datetime

    @property
    def arn(self) -> str:
        """What GetCallerIdentity says."""
        return f"arn:aws:sts::{self.account_id}:assumed-role/{self.role}/{self.session_name}"


class RoleKeys:
    """All role credentials ever given."""

    def __init__(self) -> None:
        self._keys: dict[str, RoleKey] = {}

    def give(self, account_id: str, role: str, session_name: str, expires_at: datetime) -> RoleKey:
        """New credentials."""
        key = RoleKey(
            access_key_id=f"ASIA{_letters(16)}",
            secret_access_key=secrets.token_urlsafe(30),
            session_token=f"IQoJb3JpZ2luX2Vj{secrets.token_urlsafe(256)}",
            account_id=account_id,
            role=role,
            session_name=session_name,
            expires_at=expires_at,
        )
        self._keys[key.access_key_id] = key
        return key

    def get_caller_identity(self, parameters: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Sts:GetCallerIdentity."""
        key = self._caller(parameters, now)
        return {
            "Arn": key.arn,
            "UserId": f"AROA{key.role.upper():X<17.17}:{key.session_name}",
            "Account": key.account_id,
        }

    def assume_role(self, parameters: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Sts:AssumeRole; any role may be assumed by whoever has living role credentials."""
        self._caller(parameters, now)
        match str(parameters.get("RoleArn", "")).split(":"):
            case ["arn", "aws", "iam", "", account_id, resource] if resource.startswith("role/"):
                role = resource.rpartition("/")[2]
            case _:
                raise Refusal("AccessDenied")
        seconds = str(parameters.get("DurationSeconds", ""))
        life = min(timedelta(seconds=int(seconds)), _CHAINED_LIFE) if _SPAN.fullmatch(seconds) else _CHAINED_LIFE
        key = self.give(account_id, role, str(parameters.get("RoleSessionName", "")), now + life)
        return {
            "Credentials": {
                "AccessKeyId": key.access_key_id,
                "SecretAccessKey": key.secret_access_key,
                "SessionToken": key.session_token,
                "Expiration": key.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROA{_letters(17)}:{key.session_name}", "Arn": key.arn},
        }

    def _caller(self, parameters: Mapping[str, Any], now: datetime) -> RoleKey:
        access_key_id = str(parameters.get("accessKeyId", ""))
        if not access_key_id:
            raise Refusal("MissingAuthenticationToken")
        key = self._keys.get(access_key_id)
        if key is None or key.session_token != parameters.get("sessionToken"):
            raise Refusal("InvalidClientTokenId")
        if now >= key.expires_at:
            raise Refusal("ExpiredToken")
        return key


def _letters(count: int) -> str:
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(count))
