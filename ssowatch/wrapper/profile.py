"""Which profile a server is given, by its command line and environment (rank 1, pure): as `mcp servers` finds it out.

Only what the person wrote counts. What an agent puts into a tool's arguments never chooses a sign-in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssowatch.mcp import profiles
from ssowatch.mcp.shapes import Entry

_LITERAL = "claude-desktop"
"""A client that expands nothing: what we are given is expanded already."""


def given(argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """The profile's name; `default` where nothing names one."""
    entry = Entry(
        server="",
        words=("ssowatch", "mcp", "wrap", "--", *argv),
        env={name: value for name, value in environment.items() if name.startswith("AWS_")},
    )
    rows = profiles.resolve(
        entry,
        _LITERAL,
        "",
        known={},
        profiles=frozenset(),
        home="",
        aws_config="",
        env_file=lambda _: {},
    )
    return next((row.profile for row in rows if row.profile), "default")
