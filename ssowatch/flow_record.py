"""What a sign-in under way tells: its record, and the record as JSON (rank 1, pure).

Rules of this file:
1. Link and code let whoever has them take part in this person's sign-in: no `repr` shows them, and the end takes them out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from ssowatch.clock import sensible

_MOMENTS = ("started_at", "deadline", "ended_at")
_TEXTS = ("link", "code", "page", "unopened", "outcome", "message", "who")
SIGNED_IN, DENIED, TIMED_OUT, UNREACHABLE, FAILED = "signed_in", "denied", "timed_out", "unreachable", "failed"
"""The outcomes, as `signing_in.Result` has them; a flow that ended without one is unreachable."""
CANCELLED = "cancelled"
"""Somebody ended it: SIGTERM, `logout`."""
SUPERSEDED = "superseded"
"""It was still asking by a notice when a person typed `login`; that flow takes its place, and who waited follows it."""


class Stage(StrEnum):
    """How far a sign-in under way is."""

    ASKING = "asking"
    """A notice asks whether it may begin."""
    QUEUED = "queued"
    """Another sign-in's tab is open; this one's comes next."""
    STARTING = "starting"
    """Its turn has come; there is no link yet."""
    WAITING = "waiting"
    """A person is needed: link and code are there."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Record:
    """What a flow tells. Its `repr` shows neither link nor code."""

    id: str
    name: str
    started_at: datetime
    deadline: datetime | None = None
    """Of the stage `waiting`: until when a person may answer."""
    pid: int | None = None
    stage: Stage = Stage.STARTING
    method: str = ""
    fresh: bool = False
    link: str | None = None
    code: str | None = None
    page: str | None = None
    unopened: str | None = None
    """Why no browser was opened: the link must be shown. None: it was, or the link is not there yet."""
    ended_at: datetime | None = None
    outcome: str | None = None
    """One of the words above."""
    message: str | None = None
    who: str | None = None

    def __repr__(self) -> str:
        return f"Record(id={self.id!r}, name={self.name!r}, stage={self.stage}, outcome={self.outcome})"


def encoded(record: Record) -> bytes:
    """The record as one line."""
    moments = {key: at.isoformat() for key in _MOMENTS if (at := getattr(record, key))}
    return json.dumps(asdict(record) | moments).encode()


def decoded(content: bytes) -> Record | None:
    """The record that `encoded` wrote; None where it makes no sense."""
    try:
        said: dict[str, Any] = json.loads(content)
        known = {one.name for one in fields(Record)}
        values = {key: value for key, value in said.items() if key in known}
        for key in _MOMENTS:
            values[key] = datetime.fromisoformat(values[key]) if values.get(key) else None
        record = Record(**{**values, "stage": Stage(values["stage"])})
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    moments = [at for key in _MOMENTS if (at := getattr(record, key))]
    optional = (getattr(record, key) for key in _TEXTS if getattr(record, key) is not None)
    texts = (record.id, record.name, record.method, *optional)
    sound = record.started_at in moments and all(map(sensible, moments)) and all(isinstance(t, str) for t in texts)
    return record if sound and isinstance(record.pid, int | None) else None
