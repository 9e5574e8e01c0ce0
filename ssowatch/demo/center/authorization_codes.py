"""Authorization codes (RFC 6749 with PKCE, RFC 7636): from the browser's redirect to the program that waits for it.

Rules of this file:
1. A code is good once, whatever comes of it: a wrong verifier burns it too.
2. It is bound to its client, to the redirect URI with the port, and to the challenge; only S256 is known.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.sessions import Session
from ssowatch.demo.center.settings import Settings


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for."""

    session: Session
    client_id: str
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    expires_at: datetime


class AuthorizationCodes:
    """Those that were not used yet."""

    def __init__(self) -> None:
        self._unused: dict[str, AuthorizationCode] = {}

    def give(
        self,
        session: Session,
        client_id: str,
        redirect_uri: str,
        challenge: str,
        scopes: tuple[str, ...],
        now: datetime,
        settings: Settings,
    ) -> str:
        """A new code."""
        text = secrets.token_urlsafe(96)
        code = AuthorizationCode(session, client_id, redirect_uri, challenge, scopes, now + settings.code_life)
        self._unused[text] = code
        return text

    def redeem(self, parameters: Mapping[str, Any], client_id: str, now: datetime) -> AuthorizationCode:
        """What the code stands for, once."""
        text, redirect_uri, verifier = (
            str(parameters.get(name) or "") for name in ("code", "redirectUri", "codeVerifier")
        )
        if not (text and redirect_uri and verifier):
            raise Refusal("InvalidRequestException")
        code = self._unused.pop(text, None)
        good = (
            code is not None
            and code.client_id == client_id
            and code.redirect_uri == redirect_uri
            and hmac.compare_digest(code.challenge.encode(), challenge(verifier).encode())
            and now < code.expires_at
        )
        if code is None or not good:
            raise Refusal("InvalidGrantException", "Invalid authorization code provided")
        return code


def challenge(verifier: str) -> str:
    """The S256 challenge of this verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode(errors="replace")).digest()).rstrip(b"=").decode()
