"""The text of a token file: what it says, and what it says after a renewal (rank 1, pure).

Rules of this file:
1. Every dialect met in the wild is read: compact and pretty JSON, `Z`, `UTC` (AWS CLI < 2.1.14), fractions of any
   length (JS, Java, Rust), numeric offsets. What botocore itself cannot read (no zone, a number) is read and named as
   a *flaw*, because a renewal writes it properly.
2. `Contents` is the only value in ssowatch that holds secrets. It lives for one renewal in a short-lived child and
   never shows them in its `repr`.
3. What is written has the field order and date form `%Y-%m-%dT%H:%M:%SZ` that every SDK reads (Go and Rust refuse
   `UTC`), and keeps keys that it does not know.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ssowatch.answers import Registration
from ssowatch.model import SignIn, Token

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,12}))?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d\d:?\d\d)?"
)
_EPOCH_MILLISECONDS = 1e11  # larger numbers are milliseconds: as seconds they would lie beyond the year 5138
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # Go writes "no time" as the year 1, and a span less than that overflows
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
_MOST_BRACKETS = 100  # real token files have two; what is nested deep could be read, but not written again


class TokenFileError(ValueError):
    """The text is no token file; the message says why, and never quotes it."""


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """A token file with its secrets."""

    token: Token
    document: dict[str, Any]

    def __repr__(self) -> str:
        return f"Contents({self.token!r}, secrets hidden)"

    @property
    def access_token(self) -> str:
        """The bearer of portal calls."""
        return str(self.document["accessToken"])

    @property
    def refresh_token(self) -> str:
        """What CreateToken takes for a new access token."""
        return str(self.document["refreshToken"])

    @property
    def client_id(self) -> str:
        """The client registration's id."""
        return str(self.document["clientId"])

    @property
    def client_secret(self) -> str:
        """The client registration's secret."""
        return str(self.document["clientSecret"])


def parse(content: bytes) -> Contents:
    """Read a token file.

    Raises:
        TokenFileError: half-written, not JSON, or not a token.

    """
    document = loaded(content)
    flaw = None if content.lstrip().startswith(b"{") else "starts with a byte order mark, which botocore cannot read"
    return Contents(_facts(document, flaw), document)


def loaded(content: bytes) -> dict[str, Any]:
    """The object that a file of credentials holds.

    Raises:
        TokenFileError: half-written, or not JSON.

    """
    if not content.strip():
        raise TokenFileError("is empty")
    if content.count(b"[") + content.count(b"{") > _MOST_BRACKETS:
        raise TokenFileError("is nested too deeply")
    try:
        document = json.loads(content)
    except ValueError:
        raise TokenFileError("is not complete JSON") from None  # the cause would quote the file
    if not isinstance(document, dict):
        raise TokenFileError("does not hold a JSON object")
    return document


def _facts(document: dict[str, Any], form: str | None = None) -> Token:
    """What a token file's object says; `form` is what is wrong with its bytes."""
    access_token = document.get("accessToken")
    if not isinstance(access_token, str) or not access_token:
        raise TokenFileError("holds no accessToken")
    expires_at, flaw = moment(document.get("expiresAt"))
    if expires_at is None:
        raise TokenFileError(f"expiresAt {flaw}")
    registration, _ = moment(document.get("registrationExpiresAt"))
    client_id = document.get("clientId")
    return Token(
        fingerprint=digest(access_token, document.get("refreshToken")),
        client=digest(client_id) if isinstance(client_id, str) and client_id else "",
        expires_at=expires_at,
        refreshable=all(
            isinstance(document.get(name), str) and document[name]
            for name in ("refreshToken", "clientId", "clientSecret")
        ),
        registration_expires_at=registration,
        flaw=form or (f"expiresAt {flaw}" if flaw else None),
    )


def renewed(
    document: dict[str, Any], *, access_token: str, expires_at: datetime, refresh_token: str | None
) -> tuple[bytes, Token]:
    """The file after a renewal, and its facts. Without a new refresh token the old one is kept (SDKs lose it)."""
    after = dict(document)
    after["accessToken"] = access_token
    after["expiresAt"] = stamp(expires_at)
    if refresh_token:
        after["refreshToken"] = refresh_token
    return json.dumps(after).encode(), _facts(after)


def signed_in(
    sign_in: SignIn, registration: Registration, *, access_token: str, expires_at: datetime, refresh_token: str | None
) -> tuple[bytes, Token]:
    """The file after a sign-in, with the very fields that AWS CLI v2 writes, and its facts."""
    document = {
        "startUrl": sign_in.start_url,
        "region": sign_in.region,
        "accessToken": access_token,
        "expiresAt": stamp(expires_at),
        "clientId": registration.client_id,
        "clientSecret": registration.client_secret,
        "registrationExpiresAt": stamp(registration.expires_at),
        **({"refreshToken": refresh_token} if refresh_token else {}),
    }
    return json.dumps(document).encode(), _facts(document)


def stamp(at: datetime) -> str:
    """A moment as every AWS SDK reads it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(value: object) -> tuple[datetime | None, str | None]:
    """A moment in UTC and what is wrong with its form; the moment is None where it cannot be read."""
    if isinstance(value, bool) or value is None:
        return None, "is missing"
    try:
        if isinstance(value, int | float):
            seconds = value / 1000 if abs(value) > _EPOCH_MILLISECONDS else value
            return _bounded(datetime.fromtimestamp(seconds, UTC)), "is a number, which botocore cannot read"
        if not isinstance(value, str) or not (match := _MOMENT.fullmatch(value.strip())):
            return None, "is not a date"
        zone = match["zone"] or ""
        offset = zone if zone.startswith(("+", "-")) else "+00:00"
        at = datetime.fromisoformat(f"{match['date']}T{match['time']}{offset}").astimezone(UTC)
        at += timedelta(seconds=float(f"0.{match['fraction'] or 0}"))
    except (ValueError, OverflowError, OSError):
        return None, "is not a date"
    return _bounded(at), None if zone else "has no time zone, which botocore cannot read"


def _bounded(at: datetime) -> datetime:
    return min(max(at, _EARLIEST), _LATEST)


def digest(*parts: object) -> str:
    """Tells secrets apart without holding them: 64 bits of SHA-256 over high-entropy text."""
    return sha256("\0".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
