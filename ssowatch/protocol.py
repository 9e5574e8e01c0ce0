"""The published state as JSON, and the one-line requests of the socket (rank 1, pure; standard library).

Rules of this file:
1. The JSON is a contract, version 1: times are UTC ISO 8601 with `Z` and whole seconds, unknown is `null`, keys come
   in this order. New keys may be added; none changes its meaning.
2. What is built here comes from model values, which hold no secret.
3. The watcher's pid stands near the beginning, so that `status --json` can tell a live file from a stale one without
   parsing it (`published.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ssowatch.mcp.model import McpServer
from ssowatch.model import Plan, Problem, SignIn, Token, Unwatched
from ssowatch.plain import escaped

VERSION = 1
LONGEST_REQUEST = 4096
REQUESTS = ("status", "look")


class RequestError(ValueError):
    """A request that is not one; the message is what the asker is told."""


@dataclass(frozen=True, slots=True)
class WatcherFacts:
    """The running watcher, or that there is none."""

    pid: int | None = None
    since: datetime | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One sign-in with what was decided of it."""

    sign_in: SignIn
    token: Token | None
    plan: Plan
    paused_until: datetime | None = None
    signing_in: bool = False
    mcp_servers: tuple[McpServer, ...] = ()
    """Those that hang on it, with and without a problem of their own."""


def document(
    now: datetime, watcher: WatcherFacts, problem: Problem | None, rows: Iterable[Row], unwatched: Iterable[Unwatched]
) -> dict[str, Any]:
    """The published state."""
    return {
        "version": VERSION,
        "written_at": moment(now),
        "watcher": {
            "running": watcher.pid is not None,
            "pid": watcher.pid,
            "since": moment(watcher.since),
            "paused_until": moment(watcher.paused_until),
        },
        "problem": _problem(problem),
        "sign_ins": [_row(row) for row in rows],
        "unwatched": [{"profile": one.profile, "reason": one.reason} for one in unwatched],
    }


def event(kind: str, row: Row, title: str, message: str, buttons: Iterable[str] = ()) -> dict[str, Any]:
    """What notices and hooks are told; `kind` is `expiring`, `login_required`, `signed_in`, `renewed` or `unreachable`."""
    return {
        "version": VERSION,
        "event": kind,
        "sign_in": _row(row),
        "title": title,
        "message": message,
        "buttons": list(buttons),
    }


def _row(row: Row) -> dict[str, Any]:
    sign_in, token, plan = row.sign_in, row.token, row.plan
    return {
        "name": sign_in.name,
        "kind": sign_in.kind,
        "state": plan.state,
        "start_url": sign_in.start_url or None,
        "region": sign_in.region or None,
        "good_until": moment(plan.good_until),
        "good_until_certain": plan.good_until_certain,
        "renews_silently": plan.renews_silently,
        "token_expires_at": moment(token.expires_at if token else None),
        "renew_at": moment(plan.renew_at),
        "ends_at": moment(plan.ends_at),
        "ends_at_source": plan.ends_at_source,
        "registration_expires_at": moment(token.registration_expires_at if token else None),
        "profiles": list(sign_in.profiles),
        "mcp_servers": _servers(row.mcp_servers),
        "problem": _problem(plan.problem),
        "paused_until": moment(row.paused_until),
    }


def _servers(servers: Iterable[McpServer]) -> list[dict[str, Any]]:
    """Those without a problem, each once, whatever number of files name it."""
    found = dict.fromkeys((one.client, one.server, one.profile, one.certain) for one in servers if not one.problem)
    return [
        {"client": client, "server": server, "profile": profile, "certain": certain}
        for client, server, profile, certain in found
    ]


def mcp_server(one: McpServer) -> dict[str, Any]:
    """A row of `mcp servers --json`."""
    return {
        "client": one.client,
        "server": one.server,
        "file": one.file,
        "profile": one.profile,
        "sign_in": one.sign_in,
        "certain": one.certain,
        "problem": _problem(one.problem),
    }


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    return {"code": problem.code, "message": problem.message, "fix": problem.fix} if problem else None


def encoded(published: dict[str, Any]) -> bytes:
    """The document as one line."""
    return escaped(json.dumps(published, ensure_ascii=False)).encode() + b"\n"


def moment(at: datetime | None) -> str | None:
    """A moment as the contract writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def request(line: bytes) -> str:
    """What is asked for: one of `REQUESTS`.

    Raises:
        RequestError: the line is no request of this version.

    """
    if len(line) > LONGEST_REQUEST:
        raise RequestError(f"a request has at most {LONGEST_REQUEST} bytes")
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise RequestError("a request is one line of JSON") from None
    if not isinstance(asked, dict) or asked.get("version") != VERSION:
        raise RequestError(f'a request is an object with "version": {VERSION}')
    if asked.get("do") not in REQUESTS:
        raise RequestError(f'"do" is one of {", ".join(REQUESTS)}')
    return str(asked["do"])


def refusal(reason: str) -> bytes:
    """The answer to a bad request."""
    return json.dumps({"version": VERSION, "ok": False, "error": reason}).encode() + b"\n"


def answer(published: bytes | None = None) -> bytes:
    """The answer to a good one; `published` is the encoded document."""
    if published is None:
        return b'{"version": %d, "ok": true}\n' % VERSION
    return b'{"version": %d, "ok": true, "status": %s}\n' % (VERSION, published.strip())
