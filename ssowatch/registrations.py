"""Our client registrations, kept in our own state (an edge).

Rules of this file:
1. One file per kind, start URL, region and scopes, 0600: a registration is good for these alone. The AWS CLI's own are
   left alone: two programs that replace each other's are the reason why its old and new versions break each other.
2. Reused in the first half of its life (about 45 days of 90), and never in its last 15 minutes: the renewals of a
   sign-in need its registration, so one that is about to run out would end a sign-in that has just begun.
3. Whether AWS still knows it is not asked here. Whoever is told no drops it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from ssowatch import files, paths
from ssowatch.answers import Registration
from ssowatch.clock import sensible
from ssowatch.model import SignIn

_LAST_MINUTES = timedelta(minutes=15)


class _Kept(msgspec.Struct):
    """The file. What it is for is written down too, so that a copied or renamed file is not believed."""

    method: str
    start_url: str
    region: str
    scopes: list[str]
    client_id: str
    client_secret: str
    registered_at: datetime
    expires_at: datetime


def load(sign_in: SignIn, method: str, now: datetime) -> Registration | None:
    """The registration that may be reused for `method`, "pkce" or "device"; None where there is none."""
    try:
        content = files.read(_path(sign_in, method))
        kept = msgspec.json.decode(content, type=_Kept) if content else None
    except (files.NotReadableError, ValueError, RecursionError):
        return None
    if kept is None or (kept.method, kept.start_url, kept.region, kept.scopes) != _purpose(sign_in, method):
        return None
    if not (kept.client_id and kept.client_secret and sensible(kept.registered_at) and sensible(kept.expires_at)):
        return None
    half = kept.registered_at + (kept.expires_at - kept.registered_at) / 2
    if not kept.registered_at <= now < min(half, kept.expires_at - _LAST_MINUTES):
        return None
    return Registration(kept.client_id, kept.client_secret, kept.registered_at, kept.expires_at)


def keep(sign_in: SignIn, method: str, registration: Registration) -> None:
    """Keep it for the next sign-in; without room on disk the next one registers anew."""
    content = _Kept(
        *_purpose(sign_in, method),
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        registered_at=registration.registered_at,
        expires_at=registration.expires_at,
    )
    path = _path(sign_in, method)
    with suppress(OSError):
        files.private_dir(path.rpartition("/")[0])
        files.replace(path, msgspec.json.encode(content))


def drop(sign_in: SignIn, method: str) -> None:
    """AWS does not take it any more."""
    with suppress(OSError):
        os.unlink(_path(sign_in, method))  # noqa: PTH108


def _purpose(sign_in: SignIn, method: str) -> tuple[str, str, str, list[str]]:
    return method, sign_in.start_url, sign_in.region, list(sign_in.scopes)


def _path(sign_in: SignIn, method: str) -> str:
    return paths.registration_file(json.dumps(_purpose(sign_in, method)))
