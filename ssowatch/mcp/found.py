"""What discovery found last: one file in our state (an edge)."""

from __future__ import annotations

import json
from contextlib import suppress

from ssowatch import files, paths
from ssowatch.mcp.model import McpServer
from ssowatch.model import Problem

_VERSION = 1
_LARGEST = 16 << 20


def load() -> tuple[McpServer, ...] | None:
    """The servers, or None where nobody looked yet. `sign_in` is not in the file: the AWS config may change."""
    with suppress(files.NotReadableError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        content = json.loads(files.read(paths.mcp_servers_file(), _LARGEST) or b"null")
        if content and content["version"] == _VERSION:
            return tuple(_server(row) for row in content["servers"])
    return None


def save(servers: tuple[McpServer, ...]) -> None:
    """Replace the file.

    Raises:
        OSError: it cannot be written.
        files.BusyError: another process is at it.

    """
    rows = [
        {
            "client": one.client,
            "server": one.server,
            "file": one.file,
            "profile": one.profile,
            "certain": one.certain,
            "problem": one.problem and [one.problem.code, one.problem.message, one.problem.fix],
        }
        for one in servers
    ]
    with files.locked(paths.discovery_lock(), 5):
        files.replace(
            paths.mcp_servers_file(),
            json.dumps({"version": _VERSION, "servers": rows}).encode("utf-8", "replace"),
            durable=False,
        )


def _server(row: dict[str, object]) -> McpServer:
    problem = row["problem"]
    return McpServer(
        client=str(row["client"]),
        server=str(row["server"]),
        file=str(row["file"]),
        profile=None if row["profile"] is None else str(row["profile"]),
        certain=row["certain"] is True,
        problem=Problem(*problem) if isinstance(problem, list) else None,
    )
