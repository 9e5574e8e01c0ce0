"""What discovery found last: one file in our state (an edge).

Rules of this file:
1. It holds names, paths and problems, never a value of a variable. `sign_in` is not in it: the AWS config may change.
2. Its second line tells when to look again: the stat of each path that bears on the result, and what the config asked
   for. Who wants the servers alone reads the first: the second may have thousands of paths.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from ssowatch import files, paths
from ssowatch.mcp.model import Broken, Found, McpServer
from ssowatch.model import Problem

_VERSION = 1
_LARGEST = 16 << 20
_LOCK_SECONDS = 10.0


def servers() -> tuple[McpServer, ...] | None:
    """The servers alone; None where nobody looked yet, or only another version of ssowatch."""
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        first, _ = _lines()
        content = json.loads(first)
        if content["version"] == _VERSION:
            return tuple(_server(*row) for row in content["servers"])
    return None


def load() -> Found | None:
    """All of it; None where nobody looked yet, or only another version of ssowatch."""
    known = servers()
    with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        _, second = _lines()
        content = json.loads(second)
        return (
            Found(
                servers=known or (),
                broken=tuple(Broken(*map(str, row)) for row in content["broken"]),
                seen={str(path): _stat(stat) for path, stat in content["seen"].items()},
                asked=tuple(map(str, content["asked"])),
            )
            if known is not None
            else None
        )
    return None


def save(found: Found) -> None:
    """Replace the file.

    Raises:
        OSError: it cannot be written.
        files.BusyError: another process is at it.

    """
    rows = [
        [one.client, one.server, one.file, one.profile, one.certain, *_fields(one.problem)] for one in found.servers
    ]
    first = {"version": _VERSION, "servers": rows}
    broken = [[one.client, one.file, one.message] for one in found.broken]
    second = {"broken": broken, "seen": found.seen, "asked": found.asked}
    with files.locked(paths.discovery_lock(), _LOCK_SECONDS):
        content = f"{json.dumps(first)}\n{json.dumps(second)}\n".encode()
        files.replace(paths.mcp_servers_file(), content, durable=False)


def _lines() -> tuple[bytes, bytes]:
    """Both lines; empty where there is no such file."""
    content = b""
    with suppress(files.NotReadableError):
        content = files.read(paths.mcp_servers_file(), _LARGEST) or b""
    first, _, second = content.partition(b"\n")
    return first, second


def _stat(stat: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - what JSON holds
    return None if stat is None else tuple(map(int, stat))


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
