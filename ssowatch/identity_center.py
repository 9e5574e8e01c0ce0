"""The calls to IAM Identity Center (an edge: the only code that imports boto3, and only in short-lived children).

Rules of this file:
1. One attempt per call, short time-outs: botocore's own retry of a lost CreateToken replays a consumed token, so the
   replay is decided above, once.
2. Unsigned, from a bare session without any AWS config: a general `AWS_ENDPOINT_URL` (LocalStack users have one) must
   never receive a refresh token, a broken `~/.aws/config` must not stop renewals, and no credential is looked up. Only
   `AWS_ENDPOINT_URL_SSO_OIDC` and `AWS_ENDPOINT_URL_SSO` move the calls.
3. What AWS said is a value: `Granted`, `Refusal`, `Unanswered`. A network fault is never a refusal.
4. Error codes are botocore's `sso-oidc` service model; `InvalidGrantException` is what a session's end gives
   (aws-cli issue 8561).
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.loaders
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from ssowatch.answers import Answer, Granted, Refusal, Unanswered
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.tokenfile import Contents
from ssowatch.undumpable import refuse_dumps

if TYPE_CHECKING:
    from mypy_boto3_sso.client import SSOClient
    from mypy_boto3_sso_oidc.client import SSOOIDCClient

_CONNECT_SECONDS = 5
_READ_SECONDS = 15
_LONGEST_TOKEN = 64 << 10
_LONGEST_LIFE = 90 * 86400
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
_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError)  # a proxy or TLS may break after the request, too
_MAYBE_ACTED = (ReadTimeoutError, ConnectionClosedError)
_ABSURD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What botocore's parser raises on an answer that makes no sense."""
_NO_CONFIG = {
    # (name in the config, environment variable, default, conversion): no file, no profile, whatever the environment says
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class IdentityCenter:
    """The portal of one sign-in."""

    def __init__(self, sign_in: SignIn) -> None:
        refuse_dumps()
        self._sign_in = sign_in
        session = botocore.session.Session(session_vars=_NO_CONFIG)
        session.register_component("data_loader", _service_models())
        self._session = boto3.session.Session(botocore_session=session, region_name=sign_in.region)

    def _options(self, endpoint_variable: str) -> dict[str, Any]:
        config = Config(
            signature_version=UNSIGNED,
            # "auto" in the environment would ask the EC2 metadata service
            defaults_mode="legacy",  # type: ignore[arg-type] # bool in the stubs, a word in botocore
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg] # missing in the stubs only
            retries={"total_max_attempts": 1},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        )
        return {
            "endpoint_url": os.environ.get(endpoint_variable) or None,
            "config": config,
            "verify": self._ca_file(),
        }

    def _ca_file(self) -> str | None:
        """What HTTPS calls must trust instead of the public CAs, if anything."""
        trusted = os.environ.get("AWS_CA_BUNDLE") or self._sign_in.ca_bundle
        return os.path.expanduser(trusted) if trusted else None  # noqa: PTH111

    def renew(self, contents: Contents, now: datetime) -> Answer:
        """CreateToken with the refresh token. `now` is the local clock before the call."""
        try:
            client: SSOOIDCClient = self._session.client("sso-oidc", **self._options("AWS_ENDPOINT_URL_SSO_OIDC"))
        except (BotoCoreError, ValueError, OSError) as error:
            return Unanswered(f"the client cannot be made: {plain(str(error))}", maybe_acted=False)
        try:
            answer: dict[str, Any] = client.create_token(
                grantType="refresh_token",
                clientId=contents.client_id,
                clientSecret=contents.client_secret,
                refreshToken=contents.refresh_token,
            )  # type: ignore[assignment]
            return _granted(answer, now)
        except ClientError as error:
            return _answered(error, now)
        except _MAYBE_ACTED as error:
            return Unanswered(_reason(error), maybe_acted=True)
        except SSLError as error:
            own = self._ca_file()
            return Unanswered(f"TLS failed with the CA file {plain(own)}" if own else _reason(error), maybe_acted=False)
        except BotoCoreError as error:
            return Unanswered(_reason(error), maybe_acted=not isinstance(error, _NOT_SENT))
        except OSError as error:  # after botocore's errors, half of which are an OSError too
            return Unanswered(plain(str(error)), maybe_acted=False)
        except _ABSURD as error:
            return Unanswered(f"the answer made no sense ({type(error).__name__})", maybe_acted=True)

    def lives(self, contents: Contents) -> bool | None:
        """Whether the portal still takes the access token (ListAccounts, one row, gives out no role). None: unknown."""
        try:
            portal: SSOClient = self._session.client("sso", **self._options("AWS_ENDPOINT_URL_SSO"))
            answer: dict[str, Any] = portal.list_accounts(accessToken=contents.access_token, maxResults=1)  # type: ignore[assignment]
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return False if status == 401 else None if status is None or status >= 429 else True
        except (BotoCoreError, OSError, *_ABSURD):
            return None
        return True if "accountList" in answer else None  # to botocore a captive portal's page is a good answer


@cache
def _service_models() -> botocore.loaders.Loader:
    """One for all clients: each own one would parse the same models again (measured: 110 ms and 8 MB a client)."""
    return botocore.loaders.create_loader()


def _granted(answer: dict[str, Any], now: datetime) -> Answer:
    access, refresh, seconds = answer.get("accessToken"), answer.get("refreshToken"), answer.get("expiresIn")
    if not isinstance(access, str) or not 0 < len(access) <= _LONGEST_TOKEN:
        return Unanswered("the answer holds no access token", maybe_acted=True)
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_LIFE:
        return Unanswered("the answer gives no sensible life", maybe_acted=True)
    if refresh is not None and (not isinstance(refresh, str) or len(refresh) > _LONGEST_TOKEN):
        return Unanswered("the answer's refresh token makes no sense", maybe_acted=True)
    return Granted(access, refresh or None, timedelta(seconds=seconds), _skew(answer.get("ResponseMetadata"), now))


def _answered(error: ClientError, now: datetime) -> Answer:
    details: Any = error.response.get("Error", {})
    code = str(details.get("Code"))
    metadata: Any = error.response.get("ResponseMetadata") or {}
    if code not in _REFUSALS:  # SlowDown, InternalServer, throttling, a proxy's page: nothing was decided
        status = metadata.get("HTTPStatusCode", "unknown")
        return Unanswered(plain(f"AWS answered {code} (HTTP {status})"), maybe_acted=False)
    kind, reason = _REFUSALS[code]
    if right := error.response.get("region"):
        reason += f": {plain(str(right), 40)}"
    return Refusal(kind, reason, _skew(metadata, now))


def _skew(metadata: Any, now: datetime) -> timedelta:  # noqa: ANN401 - botocore's untyped answer
    with suppress(AttributeError, KeyError, TypeError, ValueError, OverflowError):
        at = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        return now - (at if at.tzinfo else at.replace(tzinfo=UTC))
    return timedelta()


def _reason(error: Exception) -> str:
    """The kind of fault; botocore's text may name proxies with passwords, so only known kinds are spelled out."""
    kinds = {
        EndpointConnectionError: "cannot connect",
        ConnectTimeoutError: "connecting takes too long",
        ReadTimeoutError: "the answer takes too long",
        ConnectionClosedError: "the connection was closed before an answer",
        ProxyConnectionError: "cannot connect to the proxy",
        SSLError: "TLS failed (a captive portal, or a company CA that AWS_CA_BUNDLE should name)",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)
