"""An upgrade under the running watcher: it is noticed, and the watcher becomes its successor (composition).

Rules of this file:
1. Noticed by one stat at a tick: `pip`, `pipx upgrade` and `uv tool upgrade` write `__init__.py`, which holds the version,
   anew. The watcher listens to the directory of the package, too.
2. An installation in the middle of its change is left alone: the file must be the same at two ticks, and a child of the
   new program must be able to load all that the watcher needs. Until then the old one goes on.
3. The successor is the same process (`exec`): whoever started it, systemd, launchd or a shell, sees no end. The locks go
   and come back with it, so the renewals must be over; sign-ins are processes of their own.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import ssowatch
from ssowatch import children, files, watch
from ssowatch.plain import plain

log = logging.getLogger("ssowatch")

_PACKAGE = str(Path(ssowatch.__file__).resolve())
_PROBE = ("run", "--help")
"""It imports what `run` imports."""
_SECONDS = 60.0


class Successor:
    """Whether the program on disk is another one than ours."""

    def __init__(self, package: str = _PACKAGE) -> None:
        self._package = package
        self._ours = self._seen = files.signature(package)
        self._failed: object = None

    @property
    def stirs(self) -> bool:
        """Whether at the last tick another one stood there, or none, which may be the middle of a change."""
        return self._seen != self._ours and (self._seen is None or self._seen != self._failed)

    def settled(self) -> bool:
        """Whether another one stands there, and stood there at the last tick too. One that failed is not tried again."""
        before, self._seen = self._seen, files.signature(self._package)
        if self._seen == self._ours or self._seen is None or self._seen == self._failed:
            return False
        return self._seen == before

    async def works(self, environment: dict[str, str]) -> bool:
        """Whether the new program can start; one log line either way."""
        tried = self._seen
        ended = await children.run(_PROBE, environment, _SECONDS)
        if ended.code != 0:
            self._failed = tried
            why = plain(ended.complaint)
            log.error("ssowatch was replaced by one that cannot start (%s); the old one goes on", why)
            return False
        log.info("ssowatch was upgraded; going on as the new one")
        return True


@cache
def folder() -> tuple[str, ...]:
    """Where a change of the program tells of itself; none where it would have to be polled for."""
    place = str(Path(_PACKAGE).parent)
    return () if watch.far_away(place) else (place,)
