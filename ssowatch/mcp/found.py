"""What discovery found last: one file in our state (an edge).

Rules of this file:
1. It holds names, paths and problems, never a value of a variable. `sign_in` is not in it: the AWS config may change.
2. It tells when to look again, too: the stat of each path that bears on the result, and what the config asked for.
"""

from __future__ import annotations

import json
from contextlib import suppress

from ssowatch import files, paths
from ssowatch.mcp.model import Broken, Found, McpServer
from ssowatch.model import Problem

_VERSION = 1
_LARGEST = 16 << 20
_LOCK_SECONDS = 10.0


def load() -> Found | None:
    """What the file holds, or None where nobody looked yet, or in another version."""
    with suppress(files.NotReadableError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        content = json.loads(files.read(paths.mcp_servers_file(), _LARGEST) or b"null")
        if content and content["version"] == _VERSION:
            return Found(
                servers=tuple(_server(*row) for row in content["servers"]),
                broken=tuple(Broken(*map(str, row)) for row in content["broken"]),
                seen={str(path): stat and tuple(map(int, stat)) for path, stat in content["seen"].items()},
                asked=tuple(map(str, content["asked"])),
            )
    return None


def save(found: Found) -> None:
    """Replace the file.

    Raises:
        OSError: it cannot be written.
        files.BusyError: another process is at it.

    """
    content = {
        "version": _VERSION,
        "servers": [
            [one.client, one.server, one.file, one.profile, one.certain, *_fields(one.problem)] for one in found.servers
        ],
        "broken": [[one.client, one.file, one.message] for one in found.broken],
        "seen": found.seen,
        "asked": found.asked,
    }
    with files.locked(paths.discovery_lock(), _LOCK_SECONDS):
        files.replace(paths.mcp_servers_file(), json.dumps(content).encode(), durable=False)


def _fields(problem: Problem | None) -> tuple[str | None, str | None, str | None]:
    return (problem.code, problem.message, problem.fix) if problem else (None, None, None)


def _server(client: str, server: str, file: str, profile: str | None, certain: bool, *problem: str | None) -> McpServer:
    code, message, fix = problem
    return McpServer(
        client=str(client),
        server=str(server),
        file=str(file),
        profile=None if profile is None else str(profile),
        certain=certain is True,
        problem=Problem(str(code), str(message), fix and str(fix)) if code else None,
    )
