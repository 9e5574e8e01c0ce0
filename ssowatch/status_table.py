"""The published state as a person reads it (rank 1, pure; standard library, because `status` starts with it).

Rules of this file:
1. It fits 80 columns, and 50; it needs no colour.
2. For each sign-in it says: good until when, what happens next by itself, what is needed from you.
3. A certain moment is said flat, an assumed one with "about".
"""

from __future__ import annotations

import textwrap
from datetime import datetime, timedelta
from typing import Any

from ssowatch.plain import plain

_DAY = timedelta(days=1)
_GAP = "  "
_WIDE = 70


def table(document: dict[str, Any], now: datetime, width: int = 80) -> str:
    """The whole answer of `status`. `now` is aware and in the reader's time zone."""
    sign_ins, problem = document["sign_ins"], document["problem"]
    blocks = [_problem(problem, "", width)] if problem else []
    if sign_ins:
        names = [_name(one) for one in sign_ins]
        column = min(max(map(len, ["SIGN-IN", *names])), max(12, width - (48 if width >= _WIDE else 30)))
        blocks.append(
            _cells(["SIGN-IN", "STATE", "GOOD UNTIL", "NEXT"][: None if width >= _WIDE else 3], column, width)
        )
        for one, name in zip(sign_ins, names, strict=True):
            blocks.append(_sign_in(one, name, now, column, width, watched=document["watcher"]["running"]))
    blocks.append(_unwatched(document["unwatched"], width))
    blocks.append(_footer(document["watcher"], now, width))
    return "\n".join(line for block in blocks for line in block)


def _sign_in(one: dict[str, Any], name: str, now: datetime, column: int, width: int, *, watched: bool) -> list[str]:
    state = one["state"].replace("_", " ")
    lines = _cells([name, state, _good_until(one, now), _next(one, now, watched=watched)], column, width)
    users = [plain(profile, 60) for profile in one["profiles"]]
    users += [f"{plain(each['server'], 40)} ({plain(each['client'], 40)})" for each in one["mcp_servers"]]
    if users:
        lines += _wrapped(", ".join(users), "  ", width)
    if one["problem"]:
        lines += _problem(one["problem"], "  ", width)
    return lines


def _name(one: dict[str, Any]) -> str:
    """An sso-session's name; of a legacy profile's start URL the telling part."""
    name = plain(one["name"], 60)
    if one["kind"] != "legacy":
        return name
    return f"{name.removeprefix('https://').split('/')[0].removesuffix('.awsapps.com')} (legacy)"


def _good_until(one: dict[str, Any], now: datetime) -> str:
    if one["state"] not in {"valid", "expiring"} or not one["good_until"]:
        return "-"
    if (
        one["state"] == "expiring" and one["ends_at"]
    ):  # a reader asks for the sign-in, not for the token that outlives it
        return ("" if one["ends_at_source"] == "configured" else "about ") + _clock_of(one["ends_at"], now)
    return ("" if one["good_until_certain"] else "about ") + _clock_of(one["good_until"], now)


def _clock_of(text: str, now: datetime) -> str:
    return clock(datetime.fromisoformat(text), now)


def _next(one: dict[str, Any], now: datetime, *, watched: bool) -> str:
    state, renew_at = one["state"], one["renew_at"] and datetime.fromisoformat(one["renew_at"])
    if state in {"signed_out", "login_required"}:
        return "you: sign in"
    if state == "misconfigured":
        return "you: mend the config"
    if one["renews_silently"] and not watched:
        return "nobody renews it"
    if one["renews_silently"]:
        return "renewing" if not renew_at or renew_at <= now else f"renews {clock(renew_at, now)}"
    return "cannot renew"


def clock(at: datetime, now: datetime) -> str:
    """A moment on the reader's clock, as short as it is clear; `now` gives the time zone."""
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return local.strftime("%H:%M")
    return local.strftime("%a %H:%M") if abs(local - now) < 6 * _DAY else local.strftime("%Y-%m-%d %H:%M")


def _cells(cells: list[str], column: int, width: int) -> list[str]:
    """A row of the table; on a narrow screen what comes next has a line of its own."""
    name, state, until, *upcoming = cells
    if len(name) > column:
        name = name[: column - 1] + "…"
    first = [name.ljust(column), state.ljust(14), until.ljust(12)]
    if width >= _WIDE:
        return [_GAP.join(first + upcoming).rstrip()[:width]]
    return [_GAP.join(first).rstrip()[:width], *(f"  {text}"[:width] for text in upcoming)]


def _problem(problem: dict[str, Any], indent: str, width: int) -> list[str]:
    lines = _wrapped("! " + plain(problem["message"], 600), indent, width)
    return lines + (_wrapped("> " + plain(problem["fix"], 600), indent, width) if problem["fix"] else [])


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    rest = indent + ("  " if text[:2] in {"! ", "> "} else "")
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _unwatched(unwatched: list[dict[str, Any]], width: int) -> list[str]:
    lines = []
    for one in unwatched:
        lines += _wrapped(f"not watched: {plain(one['profile'], 60)}: {plain(one['reason'], 300)}", "", width)
    return ["", *lines] if lines else []


def _footer(watcher: dict[str, Any], now: datetime, width: int) -> list[str]:
    if watcher["running"]:
        since = clock(datetime.fromisoformat(watcher["since"]), now)
        return ["", f"Watching since {since} (pid {watcher['pid']})."]
    return ["", *_wrapped("No watcher is running: nothing renews these. Start it with: ssowatch run", "", width)]
