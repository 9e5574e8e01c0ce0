"""The secrets of a test, and where they could leak: every one that was ever in the token file, and the process table.

Rules of this file:
1. A piece of a secret is looked for, so that a shortened one is found as well.
2. Command lines and environments are sampled all the time, because a child lives for less than a second.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

SECRETS = ("accessToken", "refreshToken", "clientSecret")


class Canaries:
    """The secrets so far."""

    def __init__(self, token_file: Path) -> None:
        self._token_file = token_file
        self.pieces: dict[bytes, str] = {}

    def learn(self, token: Mapping[str, str] | None = None) -> None:
        """Those of this token, else of the one that is in the token file now."""
        if token is None:
            token = json.loads(self._token_file.read_text())
        for name in SECRETS:
            secret = token[name].rpartition(".")[2].removeprefix("aoaAAAAA").removeprefix("aorAAAAA")
            for where, piece in {"begin": secret[:16], "middle": secret[100:116], "end": secret[-16:]}.items():
                assert len(piece) == 16
                self.pieces.setdefault(piece.encode(), f"{where} of {name} no {len(self.pieces)}")

    def found_in(self, content: str | bytes) -> list[str]:
        """What this text gives away."""
        raw = content if isinstance(content, bytes) else content.encode()
        return [name for piece, name in self.pieces.items() if piece in raw]


class ProcessTable(threading.Thread):
    """Samples the command line and environment of a process and of all below it."""

    def __init__(self, pid: int, every: float = 0.002) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._every = every
        self.samples: set[tuple[str, bytes]] = set()
        self.children: set[int] = set()
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(self._every):
            for pid in (self._pid, *(found := below(self._pid))):
                for name in ("cmdline", "environ"):
                    self.samples.add((name, _read(Path(f"/proc/{pid}/{name}"))))
            self.children.update(found)

    def stop(self) -> None:
        self._done.set()
        self.join()


def below(pid: int) -> list[int]:
    """The processes that this one started and those started by them, as far as they live."""
    found = [int(child) for child in _read(Path(f"/proc/{pid}/task/{pid}/children")).split()]
    return found + [deeper for child in found for deeper in below(child)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended, or it is not dumpable, so that its environment is root's to read
        return b""
