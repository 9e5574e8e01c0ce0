"""What a renewal asks of IAM Identity Center (one edge with `aws_clients`; only in short-lived children).

Rules of this file:
1. What AWS said is a value: `Granted`, `Refusal`, `Unanswered`. A network fault is never a refusal.
2. Error codes are botocore's `sso-oidc` service model; `InvalidGrantException` is what a session's end gives
   (aws-cli issue 8561).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ssowatch.answers import Answer, Granted, Unanswered
from ssowatch.aws_clients import ABSURD, Clients, granted, refusal, skew
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.tokenfile import Contents

if TYPE_CHECKING:
    from mypy_boto3_sso.client import SSOClient
    from mypy_boto3_sso_oidc.client import SSOOIDCClient

_REFUSALS = {
    "InvalidGrantException": ("ended", "the sign-in has ended (invalid_grant)"),
    "ExpiredTokenException": ("ended", "the sign-in has ended (expired_token)"),
    "InvalidClientException": ("registration", "the client registration is no longer accepted (invalid_client)"),
    "UnauthorizedClientException": ("registration", "the client registration may not renew (unauthorized_client)"),
    "AccessDeniedException": ("not_allowed", "access was denied (access_denied)"),
    "InvalidRequestRegionException": ("wrong_region", "the sign-in belongs to another region"),
    "InvalidRequestException": ("wrong_region", "the request does not fit this region or portal (invalid_request)"),
    "InvalidScopeException": ("registration", "the scope is not accepted (invalid_scope)"),
    "UnsupportedGrantTypeException": ("registration", "renewal is not supported (unsupported_grant_type)"),
}


class IdentityCenter:
    """The portal of one sign-in."""

    def __init__(self, sign_in: SignIn) -> None:
        self._clients = Clients(sign_in)

    def renew(self, contents: Contents, now: datetime) -> Answer:
        """CreateToken with the refresh token. `now` is the local clock before the call."""
        try:
            client: SSOOIDCClient = self._clients.make("sso-oidc")
        except (BotoCoreError, ValueError, OSError) as error:
            return Unanswered(f"the client cannot be made: {plain(str(error))}", maybe_acted=False)

        def call() -> Granted | Unanswered:
            answer: dict[str, Any] = client.create_token(
                grantType="refresh_token",
                clientId=contents.client_id,
                clientSecret=contents.client_secret,
                refreshToken=contents.refresh_token,
            )  # type: ignore[assignment]
            return granted(answer, now)

        return self._clients.ask(call, lambda error: refusal(error, _REFUSALS, now))

    def knock(self, now: datetime) -> timedelta | Unanswered:
        """Whether AWS answers at all: the local clock minus its own. It is asked for a token that nobody has."""

        def call() -> timedelta:
            nobody = dict.fromkeys(("clientId", "clientSecret", "refreshToken"), "none")
            client.create_token(grantType="refresh_token", **nobody)
            return timedelta()

        try:
            client: SSOOIDCClient = self._clients.make("sso-oidc")
        except (BotoCoreError, ValueError, OSError) as error:
            return Unanswered(f"the client cannot be made: {plain(str(error))}", maybe_acted=False)
        return self._clients.ask(call, lambda error: _answered(error, now))

    def lives(self, contents: Contents) -> bool | None:
        """Whether the portal still takes the access token (ListAccounts, one row, gives out no role). None: unknown."""
        try:
            portal: SSOClient = self._clients.make("sso")
            answer: dict[str, Any] = portal.list_accounts(accessToken=contents.access_token, maxResults=1)  # type: ignore[assignment]
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return False if status == 401 else None if status is None or status >= 429 else True
        except (BotoCoreError, OSError, *ABSURD):
            return None
        return True if "accountList" in answer else None  # to botocore a captive portal's page is a good answer


def _answered(error: ClientError, now: datetime) -> timedelta | Unanswered:
    said = refusal(error, _REFUSALS, now)
    return said if isinstance(said, Unanswered) else skew(error.response.get("ResponseMetadata"), now)
