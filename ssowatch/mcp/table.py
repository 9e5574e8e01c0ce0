"""MCP servers as a person reads them: by sign-in, with what is the matter (rank 1, pure). It fits 80 columns, and 50."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ssowatch import login_text
from ssowatch.mcp.model import Broken, McpServer
from ssowatch.mcp.names import called
from ssowatch.plain import plain

_FILES = 3
_NOTHING = "No MCP server that uses AWS was found."


def table(servers: Sequence[McpServer], broken: Iterable[Broken], home: str, width: int) -> str:
    """The whole answer of `mcp servers`."""
    lines: list[str] = []
    names = dict.fromkeys(one.sign_in for one in servers)
    for name in sorted((name for name in names if name), key=str.casefold):
        lines += ["", *_wrapped(f"On the sign-in {plain(name)}:", "", width)]
        lines += _block([one for one in servers if one.sign_in == name], home, width)
    if None in names:
        lines += ["", "On none that ssowatch looks after:"]
        lines += _block([one for one in servers if one.sign_in is None], home, width)
    if not servers:
        lines += ["", _NOTHING]
    if files := list(broken):
        lines += ["", "Not read:"]
        for one in files:
            lines += _wrapped(f"{_path(one.file, home)} {plain(one.message)}", "  ", width)
    if after := login_text.after([one for one in servers if one.sign_in]):
        lines += ["", *_wrapped(f"After a sign-in {after}", "", width)]
    return "\n".join(lines[1:])


def _block(servers: list[McpServer], home: str, width: int) -> list[str]:
    """The servers of one sign-in; the same one in several files is said once."""
    same: dict[tuple[object, ...], list[McpServer]] = {}
    for one in servers:
        same.setdefault((one.server, one.client, one.profile, one.certain, one.problem), []).append(one)
    lines = []
    for first, *others in same.values():
        lines += _wrapped(_said(first), "  ", width)
        files = [_path(one.file, home) for one in (first, *others)]
        shown = files if len(files) <= _FILES + 1 else [*files[:_FILES], f"and {len(files) - _FILES} more"]
        for path in shown:
            lines += _wrapped(path, "    ", width)
        if first.problem:
            lines += _wrapped(f"! {plain(first.problem.message, 600)}", "    ", width)
            if first.problem.fix:
                lines += _wrapped(f"> {plain(first.problem.fix, 600)}", "    ", width)
    return lines


def _said(one: McpServer) -> str:
    who = f"{plain(one.server)} ({called(one.client)})"
    if one.profile is None:
        named = one.problem is not None and one.problem.code == "unknown_profile"
        return f"{who}: {'profile unknown' if named else 'names no profile'}"
    return f"{who}: profile {plain(one.profile)}{'' if one.certain else ', which its file does not name'}"


def _path(path: str, home: str) -> str:
    return plain(f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path, 300)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    rest = indent + ("  " if text[:2] in {"! ", "> "} else "")
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
