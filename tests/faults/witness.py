"""Reads the token file all the time: a reader must see the old file or the new one, never neither.

Every secret that was ever in it is remembered, so that its traces can be looked for.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from real.canaries import Canaries

_EVERY = 0.003


class Witness(threading.Thread):
    """Looks until it is stopped."""

    def __init__(self, token_file: Path) -> None:
        super().__init__(daemon=True)
        self._token_file = token_file
        self._done = threading.Event()
        self._last = b""
        self.canaries = Canaries(token_file)
        self.torn: list[bytes] = []
        self.looks = 0

    def run(self) -> None:
        """Look again and again."""
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        try:
            content = self._token_file.read_bytes()
        except OSError:
            return  # whether it may be missing is for the checks
        self.looks += 1
        if content == self._last:
            return
        self._last = content
        try:
            self.canaries.learn(json.loads(content))
        except (ValueError, KeyError):
            self.torn.append(content)

    def stop(self) -> None:
        """Look no longer."""
        self._done.set()
        self.join()
