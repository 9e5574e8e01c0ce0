"""The authorization code grant with a proof key: what a browser is sent to, and what proves that the code is ours (rank 1).

Rules of this file:
1. RFC 7636 with S256 alone; verifier and state are drawn anew for each sign-in and never leave this process, but for
   the state, which the browser carries.
2. AWS's own words (AWS CLI v2, `botocore.utils.SSOTokenFetcherAuth`): the parameter is `scopes`, and the redirect
   address is registered without a port and used with one.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from urllib.parse import urlencode

CALLBACK = "/oauth/callback"
REGISTERED = f"http://127.0.0.1{CALLBACK}"
"""The redirect address as it is registered; the port is free (RFC 8252, 7.3)."""


def draw() -> str:
    """64 characters that nobody can guess: a verifier, a state, a link."""
    return secrets.token_urlsafe(48)


def challenge(verifier: str) -> str:
    """What the browser shows of the verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def redirect_uri(port: int) -> str:
    """Where the browser comes back to."""
    return f"http://127.0.0.1:{port}{CALLBACK}"


def authorize_url(
    endpoint: str, *, client_id: str, redirect: str, state: str, verifier: str, scopes: Sequence[str]
) -> str:
    """Where the person decides. `endpoint` is that of the sso-oidc client."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect,
        "state": state,
        "code_challenge_method": "S256",
        "scopes": " ".join(scopes),
        "code_challenge": challenge(verifier),
    }
    return f"{endpoint.rstrip('/')}/authorize?{urlencode(query)}"
