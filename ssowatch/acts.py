"""What happened to a sign-in between two looks at it (rank 1, pure).

Rules of this file:
1. An act is a difference between what was true and what is true. So it does not matter who acted, and a restart of the
   watcher tells nothing twice; what happened while no watcher ran is not told at all.
2. One look may find several; they are told in the order in which they can only have happened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ssowatch.model import Presence, State
from ssowatch.plain import plain
from ssowatch.protocol import VERSION, Row, moment

EVENTS = (
    "signed_in",
    "renewed",
    "refused",
    "unreachable",
    "reachable",
    "warned",
    "tab",
    "expiring",
    "login_required",
    "signed_out",
    "misconfigured",
)
_STATES = (State.EXPIRING, State.LOGIN_REQUIRED, State.SIGNED_OUT, State.MISCONFIGURED)


def between(before: Row, after: Row) -> list[tuple[str, str]]:
    """The events, each with what a person reads."""
    told = []
    was, now = before.plan.memory.lineage, after.plan.memory.lineage
    new_token = after.token is not None and (
        before.token is None or before.token.fingerprint != after.token.fingerprint
    )
    new_sign_in = new_token and was.began_at != now.began_at
    if new_sign_in:
        told.append(("signed_in", f"signed in{f' as {plain(now.who)}' if now.who else ''}"))
    elif new_token and before.token is not None:
        ours = after.plan.memory.token.renewed_at is not None
        told.append(("renewed", "renewed" if ours else "renewed by another program"))
    old, new = _code(before), _code(after)
    if new == "refused" and old != "refused":
        told.append(("refused", _said(after)))
    if new == "unreachable" and old != "unreachable":
        told.append(("unreachable", _said(after)))
    if old == "unreachable" and new is None and not new_token:
        told.append(("reachable", "AWS answers again"))
    if len(now.noticed) > (0 if new_sign_in else len(was.noticed)):
        told.append(("warned", f"a person is asked: {plain(now.noticed[-1])}"))
    if now.offered_at not in {None, was.offered_at}:
        told.append(("warned", "a fresh sign-in is offered"))
    if now.tabs > (0 if new_sign_in else was.tabs):
        told.append(("tab", "a browser tab opens by itself"))
    if after.plan.state in _STATES and after.plan.state != before.plan.state:
        told.append((str(after.plan.state), _said(after)))
    return told


def line(at: datetime, row: Row, event: str, message: str, presence: Presence | None = None) -> dict[str, Any]:
    """An act as it is written down: one JSON object, without any secret. `presence`: who was last seen at the screen."""
    return {
        "version": VERSION,
        "at": moment(at),
        "event": event,
        "sign_in": row.sign_in.name,
        "state": str(row.plan.state),
        "good_until": moment(row.plan.good_until),
        "presence": str(presence) if presence else None,
        "message": message,
    }


def _code(row: Row) -> str | None:
    return row.plan.problem.code if row.plan.problem else None


def _said(row: Row) -> str:
    return plain(row.plan.problem.message, 300) if row.plan.problem else str(row.plan.state).replace("_", " ")
