"""What a person who waits for a sign-in reads (rank 1, pure).

Rules of this file:
1. Link and code are in here, so this is printed for who asked, and logged nowhere.
2. Names and addresses come from files and servers: they pass through `plain`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from ssowatch.flow_record import Record, Stage
from ssowatch.mcp import hanging
from ssowatch.mcp.model import McpServer
from ssowatch.mcp.names import called
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.ways import COMMAND, DEVICE

NOT_WANTED = "no browser was wanted"
_INDENT = "  "
_SERVERS = 5  # that are named


def progress(record: Record, sign_in: SignIn, ahead: str | None, host: str | None, port: int) -> list[str]:
    """The lines for a stage of the flow. `ahead`: whose tab is open; `host`: this machine, where one is there over SSH."""
    name = plain(record.name)
    match record.stage:
        case Stage.ASKING:
            return [f"{name}: a notice on the desktop asks whether to sign in; waiting for its button."]
        case Stage.QUEUED:
            return [f"{name}: the sign-in of {plain(ahead or 'another portal')} is open; this one comes next."]
        case Stage.WAITING:
            lines = _waiting(record, sign_in, host, port)
            until = f" until {record.deadline.astimezone():%H:%M}" if record.deadline else ""
            return [*lines, f"{_INDENT}Waiting{until}; Ctrl-C stops the waiting, not the sign-in."]
    return []


def _waiting(record: Record, sign_in: SignIn, host: str | None, port: int) -> list[str]:
    name, portal, link = plain(record.name), plain(sign_in.start_url), plain(record.link or "", 2000)
    if record.method == COMMAND:
        if not portal:
            return [f"{name}: a page of AWS opens in your browser; sign in there."]
        return [f"{name}: your own login command asks you to sign in at {portal}."]
    code = f" and check that it shows the code {plain(record.code)}" if record.code else ""
    if record.unopened is None:
        return [
            f"{name}: your browser asks you to sign in at {portal}{code}.",
            f"{_INDENT}No window? Open this on this machine: {link}",
        ]
    why = [] if record.unopened == NOT_WANTED else [f"{_INDENT}(No browser was opened: {plain(record.unopened)}.)"]
    if record.method == DEVICE:
        return [
            f"{name}: to sign in at {portal}, open this in any browser{code}:",
            f"{_INDENT}{link}",
            *why,
            f"{_INDENT}Approve only what you began yourself.",
            *(_tunnel_instead(name, host, port) if host else []),
        ]
    return [
        f"{name}: to sign in at {portal}, open this in a browser on this machine:",
        f"{_INDENT}{link}",
        *why,
        *(
            [f"{_INDENT}Your browser is elsewhere? Run there first: {tunnel(_port(link) or port, host)}"]
            if host
            else []
        ),
    ]


def _tunnel_instead(name: str, host: str, port: int) -> list[str]:
    """Over SSH: what makes PKCE possible, which cannot be phished."""
    return [
        f"{_INDENT}Or without a code: run on your own machine: {tunnel(port, host)}",
        f"{_INDENT}and then here: ssowatch login {shlex.quote(name)} --method pkce --no-browser",
    ]


def tunnel(port: int, host: str) -> str:
    """The command that leads a browser elsewhere to the listener here."""
    return f"ssh -L {port}:127.0.0.1:{port} {plain(host)}"


def _port(link: str) -> int | None:
    try:
        return urlsplit(link).port
    except ValueError:
        return None


def joined(record: Record, *, fresh: bool) -> str:
    """That somebody else began it."""
    ordinary = (
        "; it is an ordinary one, so run this again afterwards for a fresh one" if fresh and not record.fresh else ""
    )
    return f"{plain(record.name)}: joining the sign-in that is already under way{ordinary}."


def ends_with_it(sign_in: SignIn, servers: Sequence[str], others: Sequence[str] = ()) -> str:
    """What a fresh sign-in ends first. `others` are the sign-ins of the same portal: AWS may end those as well."""
    users = [*map(plain, sign_in.profiles), *map(plain, servers)]
    list_of = f", which {', '.join(users)} use" if users else ""
    too = f" AWS may end {', '.join(map(plain, others))} too, on the same portal." if others else ""
    return f"{plain(sign_in.name)}: ending the present sign-in{list_of}, and signing in anew at once.{too}"


def outcome(record: Record) -> str:
    """How it ended."""
    said = plain(record.message or str(record.outcome).replace("_", " "), 400)
    return f"{plain(record.name)}: {said}"


def after(servers: Sequence[McpServer]) -> str:
    """Which MCP servers go on by themselves after a sign-in, and which must be restarted; "" without any."""
    goes_on = [_server(one) for one in servers if not hanging.restarts(one)]
    stuck = [_server(one) for one in servers if hanging.restarts(one)]
    lines = []
    if goes_on:
        lines.append(f"{_listed(goes_on)} {'goes on by itself' if len(set(goes_on)) == 1 else 'go on by themselves'}.")
    if stuck:
        lines.append(f"Restart {_listed(stuck)}: the keys that were taken at the start do not change.")
    return " ".join(lines)


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    shown = names if len(names) <= _SERVERS + 1 else [*names[:_SERVERS], f"{len(names) - _SERVERS} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _server(one: McpServer) -> str:
    return f"{plain(one.server, 40)} ({called(one.client)})"


def left_to_itself(name: str, deadline: datetime | None) -> str:
    """A caller stops waiting."""
    until = f" until {deadline.astimezone():%H:%M}" if deadline else ""
    return f"{plain(name)}: the sign-in stays open{until}; ssowatch login {shlex.quote(plain(name))} joins it again."
