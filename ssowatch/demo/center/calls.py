"""The log of calls: who called, when, with which token, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """What the edge knows of who calls."""

    user_agent: str = ""
    source: str = ""
    faults: tuple[str, ...] = ()
    """Names of what the network did to the call; always empty in fine weather."""


NOBODY = Caller()
_SHOWN = ("refreshToken", "code", "deviceCode", "accessToken")


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the log."""

    at: datetime
    operation: str
    outcome: str
    """The word ok, or the error's code, or the fault that kept the call from being looked at; of a page, what it said
    (`visits.py`)."""
    token: str = ""
    """Fingerprint of what was shown (refresh token, code, device code or bearer), or the access key id."""
    user_agent: str = ""
    source: str = ""
    faults: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the control channel."""
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Call:
        """The other direction."""
        return cls(**{**row, "at": datetime.fromisoformat(row["at"]), "faults": tuple(row["faults"])})


def record(at: datetime, operation: str, outcome: str, parameters: Mapping[str, Any], caller: Caller) -> Call:
    """The log line of a call with these parameters."""
    shown = next((text for name in _SHOWN if (text := parameters.get(name))), "")
    token = fingerprint(str(shown)) if shown else str(parameters.get("accessKeyId") or "")
    return Call(at, operation, outcome, token, caller.user_agent, caller.source, caller.faults)


def fingerprint(token: str) -> str:
    """How the log names a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()[:12]
