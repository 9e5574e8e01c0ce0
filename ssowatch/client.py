"""The other end of the watcher's socket (an edge; standard library).

Rules of this file:
1. No watcher is a normal state: asking one that is not there gives None, quickly.
2. Nor is it one, where somebody else got to the socket's place first (in /tmp, for a home too deep): who listens there must
   be this user, and has 2 seconds in all.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import Any

from ssowatch import paths

_SECONDS = 2.0
_LARGEST = 16 << 20


def ask(do: str) -> dict[str, Any] | None:
    """Ask the watcher; None where none answers. `do` is one of `protocol.REQUESTS`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            end = time.monotonic() + _SECONDS
            path = paths.socket_path()
            if os.lstat(os.path.dirname(path)).st_uid != os.getuid():  # noqa: PTH120
                return None
            connection.settimeout(_SECONDS)
            connection.connect(path)
            connection.sendall(json.dumps({"version": 1, "do": do}).encode() + b"\n")
            answer = bytearray()
            while len(answer) < _LARGEST and (part := connection.recv(65536)):
                answer += part
                connection.settimeout(max(end - time.monotonic(), 0.001))
        said = json.loads(answer)
    except (OSError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
