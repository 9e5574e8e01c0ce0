"""The other end of the watcher's socket (an edge; standard library).

Rules of this file:
1. No watcher is a normal state: asking one that is not there gives None, quickly.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from ssowatch import paths

_SECONDS = 2.0
_LARGEST = 16 << 20


def ask(do: str) -> dict[str, Any] | None:
    """Ask the watcher; None where none answers. `do` is one of `protocol.REQUESTS`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(paths.socket_path())
            connection.sendall(json.dumps({"version": 1, "do": do}).encode() + b"\n")
            answer = bytearray()
            while len(answer) < _LARGEST and (part := connection.recv(65536)):
                answer += part
        said = json.loads(answer)
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
