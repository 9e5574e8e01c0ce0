"""What a sign-in asks of IAM Identity Center (one edge with `aws_clients`; only in short-lived children).

Rules of this file:
1. What AWS said is a value. A network fault is never a refusal, and "not yet" is no fault.
2. The registration is the AWS CLI's own but for its name, which the person reads on the page that asks for consent.
3. Who signed in is found out by the person's own role keys, which are dropped at once: there is no other call that
   tells. It is best effort, with a deadline for all of it; nothing depends on it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ssowatch import links, pkce
from ssowatch.answers import DeviceCode, Granted, Pending, Person, Refusal, Registration, Unanswered
from ssowatch.aws_clients import LONGEST_TOKEN, Clients, granted, refusal
from ssowatch.model import SignIn
from ssowatch.plain import plain

if TYPE_CHECKING:
    from mypy_boto3_sso.client import SSOClient
    from mypy_boto3_sso_oidc.client import SSOOIDCClient

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_ONE_CALL_SECONDS = 3.0
_WHO_SECONDS = 4.0
"""For all calls together: the person looks at a page that is still loading."""
_INTERVAL = 5
"""Seconds between two polls where AWS names none (RFC 8628, 3.2)."""
_LONGEST_WAIT = 3600
_MOST_ACCOUNTS = 100
_REFUSALS = {
    "InvalidClientException": ("registration", "the client registration is not accepted (invalid_client)"),
    "UnauthorizedClientException": ("registration", "the client registration may not sign in (unauthorized_client)"),
    "AccessDeniedException": ("denied", "it was denied in the browser"),
    "ExpiredTokenException": ("expired", "the code ran out before anybody approved it"),
    "InvalidGrantException": ("code", "AWS does not take the code that the browser brought (invalid_grant)"),
    "InvalidRequestRegionException": ("config", "this portal lives in another region; mend sso_region"),
    "InvalidRequestException": ("config", "AWS does not know this portal here; check sso_start_url and sso_region"),
    "InvalidScopeException": ("config", "AWS does not take sso_registration_scopes (invalid_scope)"),
    "InvalidClientMetadataException": ("config", "AWS does not take the client registration (invalid_client_metadata)"),
    "InvalidRedirectUriException": ("config", "AWS does not take the redirect address (invalid_redirect_uri)"),
    "UnsupportedGrantTypeException": ("config", "AWS does not offer this way to sign in (unsupported_grant_type)"),
}
_T = TypeVar("_T")
_POLLING = _REFUSALS | {
    "AuthorizationPendingException": ("pending", "nobody has approved it yet (authorization_pending)"),
    "SlowDownException": ("slower", "AWS is asked too often (slow_down)"),
}
_PENDING = {"pending": Pending(slower=False), "slower": Pending(slower=True)}


def connect(sign_in: SignIn) -> Authorization | Refusal:
    """The sign-in service of the portal; a refusal where no client can be made (a bad region, endpoint or CA file)."""
    try:
        clients = Clients(sign_in)
        return Authorization(sign_in, clients, clients.make("sso-oidc"))
    except (BotoCoreError, ValueError, OSError) as error:
        return Refusal("config", f"the client cannot be made: {plain(str(error))}", timedelta())


class Authorization:
    """The sign-in service of one portal; `connect` makes it."""

    def __init__(self, sign_in: SignIn, clients: Clients, oidc: SSOOIDCClient) -> None:
        self._sign_in = sign_in
        self._clients = clients
        self._oidc = oidc

    def register(self, method: str, now: datetime) -> Registration | Refusal | Unanswered:
        """RegisterClient for `method`, "pkce" or "device"."""
        client: dict[str, Any] = {
            "clientName": f"ssowatch-{plain(platform.node(), 60) or 'unknown'}",
            "clientType": "public",
        }
        if self._sign_in.scopes:
            client["scopes"] = list(self._sign_in.scopes)
        if method == "pkce":
            client["grantTypes"] = ["authorization_code", "refresh_token"]
            client["redirectUris"] = [pkce.REGISTERED]
            client["issuerUrl"] = self._sign_in.start_url

        def call() -> Registration | Unanswered:
            answer: dict[str, Any] = self._oidc.register_client(**client)  # type: ignore[assignment]
            client_id, secret, end = (answer.get(key) for key in ("clientId", "clientSecret", "clientSecretExpiresAt"))
            if not _text(client_id) or not _text(secret) or not isinstance(end, int):
                return Unanswered("the answer holds no client registration", maybe_acted=False)
            return Registration(str(client_id), str(secret), now, datetime.fromtimestamp(end, UTC))

        return self._ask(call, now)

    def accepts(self, registration: Registration, method: str, now: datetime) -> Refusal | Unanswered | None:
        """None unless AWS says that it no longer knows the registration, or says nothing at all.

        Asked with a code that cannot be right, which AWS looks at after the client's proof (RFC 6749, 5.2). Without it a
        browser would show an error 400, of which we would learn nothing.
        """
        if method == "pkce":
            came = self.token_by_code(registration, "none", pkce.draw(), pkce.REGISTERED, now)
        else:
            came = self._token(registration, _REFUSALS, now, grantType=_DEVICE_GRANT, deviceCode="none")
        if isinstance(came, Granted) or (isinstance(came, Refusal) and came.code != "registration"):
            return None
        return came

    def authorize_url(self, registration: Registration, redirect: str, state: str, verifier: str) -> str:
        """Where the browser is sent to."""
        return pkce.authorize_url(
            self._oidc.meta.endpoint_url,
            client_id=registration.client_id,
            redirect=redirect,
            state=state,
            verifier=verifier,
            scopes=self._sign_in.scopes or ("sso:account:access",),
        )

    def start_device(self, registration: Registration, now: datetime) -> DeviceCode | Refusal | Unanswered:
        """StartDeviceAuthorization. `now` is the local clock before the call."""

        def call() -> DeviceCode | Unanswered:
            answer: dict[str, Any] = self._oidc.start_device_authorization(
                clientId=registration.client_id,
                clientSecret=registration.client_secret,
                startUrl=self._sign_in.start_url,
            )  # type: ignore[assignment]
            names = ("deviceCode", "userCode", "verificationUri", "verificationUriComplete")
            texts = [answer.get(name) for name in names]
            seconds, interval = answer.get("expiresIn"), answer.get("interval") or _INTERVAL
            if not all(map(_text, texts)) or not isinstance(seconds, int) or not isinstance(interval, int):
                return Unanswered("the answer holds no device code", maybe_acted=False)
            if not all(links.allowed(str(page)) for page in texts[2:]):
                return Unanswered("the answer's page is no web address", maybe_acted=False)
            code, shown, page, link = map(str, texts)
            end = now + timedelta(seconds=min(max(seconds, 1), _LONGEST_WAIT))
            return DeviceCode(code, shown, page, link, end, timedelta(seconds=min(max(interval, 1), 60)))

        return self._ask(call, now)

    def token_by_code(
        self, registration: Registration, code: str, verifier: str, redirect: str, now: datetime
    ) -> Granted | Refusal | Unanswered:
        """CreateToken with what the browser brought. `now` is the local clock before the call."""
        grant = {"grantType": "authorization_code", "code": code, "codeVerifier": verifier, "redirectUri": redirect}
        return self._token(registration, _REFUSALS, now, **grant)

    def token_by_device(
        self, registration: Registration, code: DeviceCode, now: datetime
    ) -> Granted | Pending | Refusal | Unanswered:
        """CreateToken with a device code. `now` is the local clock before the call."""
        came = self._token(registration, _POLLING, now, grantType=_DEVICE_GRANT, deviceCode=code.device_code)
        return _PENDING.get(came.code, came) if isinstance(came, Refusal) else came

    def log_out(self, access_token: str, now: datetime) -> Refusal | Unanswered | None:
        """Logout: ends this sign-in at the portal. None: it is over, be it that it was before."""

        def call() -> None:
            portal: SSOClient = self._clients.make("sso")
            portal.logout(accessToken=access_token)

        def refused(error: ClientError) -> Refusal | Unanswered | None:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 401:
                return None
            return refusal(error, {}, now)

        return self._clients.ask(call, refused)

    def who(self, access_token: str) -> Person:
        """Who that is, as far as it can be found out within 4 seconds."""
        found = [Person()]

        def look() -> None:
            with suppress(Exception):  # nothing depends on it, and a traceback could show what was answered
                found.extend(self._person(access_token))

        thread = Thread(target=look, daemon=True)  # a hung call must not keep the process
        thread.start()
        thread.join(_WHO_SECONDS)
        return found[-1]

    def _person(self, access_token: str) -> Iterator[Person]:
        """Step by step: what was found out stays true when the next step fails."""
        portal: SSOClient = self._clients.make("sso", seconds=_ONE_CALL_SECONDS)
        accounts: Any = portal.list_accounts(accessToken=access_token, maxResults=_MOST_ACCOUNTS)["accountList"]
        names = tuple(plain(f"{row.get('accountName') or ''} ({row['accountId']})".strip(), 80) for row in accounts)
        yield Person(accounts=names)
        account = accounts[0]["accountId"]
        roles: Any = portal.list_account_roles(accessToken=access_token, accountId=account, maxResults=1)["roleList"]
        keys: Any = portal.get_role_credentials(
            accessToken=access_token, accountId=account, roleName=roles[0]["roleName"]
        )["roleCredentials"]
        caller = self._clients.make(
            "sts",
            seconds=_ONE_CALL_SECONDS,
            aws_access_key_id=keys["accessKeyId"],
            aws_secret_access_key=keys["secretAccessKey"],
            aws_session_token=keys["sessionToken"],
        ).get_caller_identity()
        # arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Role_0123456789abcdef/user
        yield Person(plain(caller["Arn"].split("/", 2)[2], 80) or None, names)

    def _token(
        self, registration: Registration, reasons: dict[str, tuple[str, str]], now: datetime, **grant: str
    ) -> Granted | Refusal | Unanswered:
        def call() -> Granted | Unanswered:
            proof = {"clientId": registration.client_id, "clientSecret": registration.client_secret}
            answer: dict[str, Any] = self._oidc.create_token(**proof, **grant)  # type: ignore[assignment]
            return granted(answer, now)

        return self._clients.ask(call, lambda error: refusal(error, reasons, now))

    def _ask(self, call: Callable[[], _T], now: datetime) -> _T | Refusal | Unanswered:
        return self._clients.ask(call, lambda error: refusal(error, _REFUSALS, now))


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN
