"""Plain boto3 clients and a plain PKCE request, for tests that look at what really arrives."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from ssowatch.demo.center.authorization_codes import challenge
from ssowatch.demo.center.registrations import ACCOUNT_ACCESS, CODE, REFRESH

CALLBACK = "http://127.0.0.1/oauth/callback"
REDIRECT = "http://127.0.0.1:45678/oauth/callback"
STATE = "63d346f4-c331-4747-929d-83f66cbf7b5e"
VERIFIER = "v" * 64


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now


@functools.cache
def _session() -> boto3.Session:
    """One, because it reads the service models."""
    return boto3.Session(region_name="us-east-1")


class Clients:
    """Makes unsigned clients with one attempt each, so that what arrives is what was sent."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def connect(self, service: str, url: str | None, **config: Any) -> Any:
        """A client of that endpoint; without one, of AWS's own."""
        limits = {"retries": {"total_max_attempts": 1}, "connect_timeout": 60, "read_timeout": 60}
        made: Any = _session().client(  # type: ignore[call-overload]
            service, endpoint_url=url, config=Config(**{"signature_version": UNSIGNED, **limits, **config})
        )
        self._stack.callback(made.close)
        return made

    def close(self) -> None:
        """Close them all."""
        self._stack.close()


@contextlib.contextmanager
def clients() -> Iterator[Clients]:
    """Clients for the time of a `with`."""
    made = Clients()
    try:
        yield made
    finally:
        made.close()


def registration(start_url: str, **changes: Any) -> dict[str, Any]:
    """What the AWS CLI registers for PKCE."""
    return {
        "clientName": "a client",
        "clientType": "public",
        "scopes": [ACCOUNT_ACCESS],
        "grantTypes": [CODE, REFRESH],
        "redirectUris": [CALLBACK],
        "issuerUrl": start_url,
    } | changes


def authorize_url(url: str, client_id: str, **changes: str | None) -> str:
    """Where the AWS CLI sends the browser; None leaves a parameter out."""
    parameters: Mapping[str, str | None] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT,
        "state": STATE,
        "code_challenge_method": "S256",
        "scopes": ACCOUNT_ACCESS,
        "code_challenge": challenge(VERIFIER),
    } | changes
    return f"{url}/authorize?{urlencode({name: v for name, v in parameters.items() if v is not None})}"


def proof(registered: Mapping[str, Any]) -> dict[str, str]:
    """What a registered client shows of itself."""
    return {name: registered[name] for name in ("clientId", "clientSecret")}
