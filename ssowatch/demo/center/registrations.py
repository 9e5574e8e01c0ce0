"""Client registrations: what a program says of itself before a person is asked, and what it may do afterwards.

Rules of this file:
1. A registration that names its grants may use only these; one that names none is a device's, as in the AWS CLI.
2. A redirect goes to 127.0.0.1 alone. The port is free: the one that was registered, if any, does not count (RFC 8252).
3. What AWS does not document is refused: the harsher guess.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ssowatch.demo.center.refusal import Refusal

CODE = "authorization_code"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH = "refresh_token"
ACCOUNT_ACCESS = "sso:account:access"
_Q = ("completions", "analysis", "conversations", "transformations", "taskassist")
SCOPES = frozenset({ACCOUNT_ACCESS, *(f"codewhisperer:{name}" for name in _Q)})
_LOOPBACK = re.compile(r"http://127\.0\.0\.1(?::(\d{1,5}))?((?:/[\w.~%-]*)*)", re.ASCII)
_PORTAL = re.compile(r"https://[\w.-]+(?:[/#][!-~]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registration:
    """A client registration."""

    client_id: str
    client_secret: str
    expires_at: datetime
    name: str = ""
    """As the client calls itself: anybody's text."""
    scopes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    issuer_url: str = ""

    def may(self, grant: str) -> bool:
        """True where it may use this grant."""
        return grant in (self.grants or (DEVICE, REFRESH))

    def redirects_to(self, uri: str) -> bool:
        """True where `uri` was registered, whatever its port."""
        asked = _LOOPBACK.fullmatch(uri)
        return asked is not None and any(
            (known := _LOOPBACK.fullmatch(one)) and known[2] == asked[2] for one in self.redirect_uris
        )


class Registrations:
    """Those that were not forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, Registration] = {}

    def add(self, expires_at: datetime, **what: Any) -> Registration:
        """A new one with a new secret, which is a JWT by its looks, as AWS's are."""
        client_id, secret = secrets.token_urlsafe(24), f"eyJraWQiOiJrZXktMTU2NDAyODA5OSJ9.{secrets.token_urlsafe(192)}"
        self._known[client_id] = Registration(client_id, secret, expires_at, **what)
        return self._known[client_id]

    def get(self, client_id: str) -> Registration | None:
        """The registration of this name, which proves nothing."""
        return self._known.get(client_id)

    def clear(self) -> None:
        """Forget them all."""
        self._known.clear()

    def register(self, parameters: Mapping[str, Any], now: datetime, life: timedelta) -> Registration:
        """What `RegisterClient` does, once its parameters are found good."""
        scopes, grants, uris = (_texts(parameters, name) for name in ("scopes", "grantTypes", "redirectUris"))
        name, issuer_url = str(parameters.get("clientName") or ""), str(parameters.get("issuerUrl") or "")
        if not name or not parameters.get("clientType"):
            raise Refusal("InvalidRequestException")
        if parameters["clientType"] != "public":
            raise Refusal("InvalidClientMetadataException")
        if not {*grants} <= {CODE, DEVICE, REFRESH}:
            raise Refusal("UnsupportedGrantTypeException")
        if not {*scopes} <= SCOPES:
            raise Refusal("InvalidScopeException")
        if not all(_LOOPBACK.fullmatch(uri) for uri in uris):
            raise Refusal("InvalidRedirectUriException")
        if (issuer_url and not is_portal(issuer_url)) or (CODE in grants and not (uris and issuer_url)):
            raise Refusal("InvalidRequestException")
        return self.add(now + life, name=name, scopes=scopes, grants=grants, redirect_uris=uris, issuer_url=issuer_url)

    def proven(self, parameters: Mapping[str, Any], now: datetime) -> Registration:
        """The registration that the caller proves to have."""
        found = self._known.get(str(parameters.get("clientId")))
        if found is None or found.client_secret != parameters.get("clientSecret") or now >= found.expires_at:
            raise Refusal("InvalidClientException")
        return found


def is_portal(url: str) -> bool:
    """True for what can be a start URL."""
    return _PORTAL.fullmatch(url) is not None


def _texts(parameters: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = parameters.get(name) or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Refusal("InvalidRequestException")
    return tuple(given)
