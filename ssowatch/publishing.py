"""The published state, written when it changes (an edge). `published.py` reads it, on the standard library alone.

Rules of this file:
1. It is replaced as a whole when anything but `written_at` is another, or when somebody else changed or took the file.
2. A disk that takes nothing is said once, not at every tick of the day.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from ssowatch import files, paths, protocol

log = logging.getLogger("ssowatch")

_LARGEST = 16 << 20


class Publishing:
    """The published state of one watcher."""

    def __init__(self) -> None:
        self._written: tuple[bytes, object] = (b"", None)
        self.fault: int | None = None
        """Why the last one could not be written (an `errno`); it is tried again at the next tick."""

    def put(self, document: dict[str, Any]) -> None:
        """Publish it, unless it is what stands there."""
        comparable = protocol.encoded({**document, "written_at": None})
        if (comparable, files.signature(paths.status_file())) == self._written:
            return
        try:
            files.replace(paths.status_file(), protocol.encoded(document), durable=False)
            self._written = (comparable, files.signature(paths.status_file()))
            self.fault = None
        except OSError as error:
            if self.fault != error.errno:
                log.warning("cannot publish the state to %s: %s", paths.status_file(), error.strerror)
            self.fault = error.errno

    def published(self) -> bytes:
        """What stands there, as JSON."""
        with suppress(files.NotReadableError):
            return files.read(paths.status_file(), _LARGEST) or b"null"
        return b"null"
