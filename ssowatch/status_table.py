"""The published state as a person reads it (rank 1, pure; standard library, because `status` starts with it).

Rules of this file:
1. It fits 80 columns, and 50; it needs no colour.
2. For each sign-in it says: good until when, what happens next by itself, what is needed from you.
3. A certain moment is said flat, an assumed or learned one with "about"; wide bounds are said as such.
"""

from __future__ import annotations

import textwrap
from datetime import datetime, timedelta
from typing import Any

from ssowatch.mcp.names import called
from ssowatch.plain import plain
from ssowatch.short_names import called as short

_DAY = timedelta(days=1)
_NARROW = timedelta(minutes=10)
_GAP = "  "
_SHORTEST_NAME = 16
_HEAD = ["SIGN-IN", "STATE", "GOOD UNTIL", "NEXT"]


def table(document: dict[str, Any], now: datetime, width: int) -> str:
    """The whole answer of `status`. `now` is aware and in the reader's time zone."""
    sign_ins, problem = document["sign_ins"], document["problem"]
    blocks = [_problem(problem, "", width)] if problem else []
    if sign_ins:
        watched = document["watcher"]["running"]
        rows = [_row(one, now, watched=watched) for one in sign_ins]
        widths = _widths(rows, width)
        blocks.append(_cells(_HEAD, widths, width))
        for one, row in zip(sign_ins, rows, strict=True):
            blocks.append(_cells(row, widths, width) + _details(one, width))
    blocks.append(_unwatched(document["unwatched"], width))
    blocks.append(_footer(document["watcher"], now, width))
    return "\n".join(line for block in blocks for line in block)


def _row(one: dict[str, Any], now: datetime, *, watched: bool) -> list[str]:
    return [_name(one), one["state"].replace("_", " "), _good_until(one, now), _next(one, now, watched=watched)]


def _widths(rows: list[list[str]], width: int) -> list[int]:
    """The columns' widths; the last is 0 where NEXT does not fit beside the others and gets lines of its own."""
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    spare = width - sum(widths[1:]) - 3 * len(_GAP)
    if spare < min(widths[0], _SHORTEST_NAME):
        widths[3] = 0
        spare = width - sum(widths[1:]) - 2 * len(_GAP)
    widths[0] = max(min(widths[0], spare), 4)
    return widths


def _details(one: dict[str, Any], width: int) -> list[str]:
    """Who uses it, and what is wrong."""
    lines: list[str] = []
    users = [plain(profile, 60) for profile in one["profiles"]]
    users += [f"{plain(each['server'], 40)} ({called(each['client'])})" for each in one["mcp_servers"]]
    if users:
        lines += _wrapped(", ".join(users), "  ", width)
    if one["problem"]:
        lines += _problem(one["problem"], "  ", width)
    return lines


def _name(one: dict[str, Any]) -> str:
    """An sso-session's name; of another's address the telling part."""
    name = short(one["kind"], one["name"], 60)
    return name if one["kind"] == "sso-session" else f"{name.removesuffix('.awsapps.com')} ({one['kind']})"


def _good_until(one: dict[str, Any], now: datetime) -> str:
    if one["state"] in {"valid", "expiring"} and not _ours(one):  # its token's own end is nobody's concern
        return f"{_clock_of(one['ends_at'], now)} at most" if one["ends_at"] else "not known"
    if one["state"] not in {"valid", "expiring"} or not one["good_until"]:
        return "-"
    if (
        one["state"] == "expiring" and one["ends_at"]
    ):  # a reader asks for the sign-in, not for the token that outlives it
        words = {"configured": "", "learned": "by "}
        return words.get(one["ends_at_source"], "about ") + _clock_of(one["ends_at"], now)
    if one["good_until_certain"] or not one["ends_at"]:
        return _clock_of(one["good_until"], now)
    first, last = datetime.fromisoformat(one["good_until"]), datetime.fromisoformat(one["ends_at"])
    if last - first > _NARROW:  # from the earliest to the latest
        return f"{clock(first, now)} to {clock(last, now)}"
    return f"about {clock(first + (last - first) / 2, now)}"


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
    return "cannot renew" if _ours(one) else "renewed in use"


def _ours(one: dict[str, Any]) -> bool:
    """Whether ssowatch renews this kind, and not the programs that use it."""
    return one["kind"] in {"sso-session", "legacy"}


def clock(at: datetime, now: datetime) -> str:
    """A moment on the reader's clock, as short as it is clear; `now` gives the time zone."""
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return local.strftime("%H:%M")
    return local.strftime("%a %H:%M") if abs(local - now) < 6 * _DAY else local.strftime("%Y-%m-%d %H:%M")


def _cells(cells: list[str], widths: list[int], width: int) -> list[str]:
    """A row of the table; a long name is cut, nothing else ever is."""
    name, *others = cells
    name = name if len(name) <= widths[0] else name[: widths[0] - 1] + "…"
    padded = [cell.ljust(column) for cell, column in zip([name, *others], widths, strict=True)]
    if widths[3]:
        return [_GAP.join(padded).rstrip()]
    return [_GAP.join(padded[:3]).rstrip(), *([] if cells is _HEAD else _wrapped(others[2], "  ", width))]


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
        since = f" since {clock(datetime.fromisoformat(watcher['since']), now)}" if watcher["since"] else ""
        return ["", f"Watching{since} (pid {watcher['pid']})."]
    return ["", *_wrapped("No watcher is running: nothing renews these. Start it with: ssowatch run", "", width)]
