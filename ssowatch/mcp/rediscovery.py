"""When the watcher has MCP servers looked for (composition).

Rules of this file:
1. The looking is a child's: `~/.claude.json` alone may have 20 MB, and it changes all the time. So a child runs at most
   every 10 minutes, and only if a path that bears on its last result changed; that is found by stats alone.
2. What the child found is a file in our state, which every look at the world reads; so nothing is handed over here.
3. A child that fails is tried again after the same 10 minutes, and said once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from ssowatch import children, files, paths
from ssowatch.mcp import found
from ssowatch.mcp.due import due
from ssowatch.mcp.model import Found
from ssowatch.plain import plain
from ssowatch.settings import Settings

log = logging.getLogger("ssowatch")

_REST = 600.0  # seconds between two children
_LOOK = 5.0  # seconds between two looks at the stats; an idle watcher ticks more seldom than that
_CHILD_SECONDS = 60.0
_FIRST_SECONDS = 10.0


class Rediscovery:
    """The discovery of one watcher."""

    def __init__(self, tick: Callable[[], None], rest: float = _REST, pause: float = _LOOK) -> None:
        self._tick = tick
        self._rest, self._pause = rest, pause
        self._began_at = -rest
        self._looked_at = -pause
        self._asked: object = None
        self._last: tuple[object, Found | None] = ((), None)
        self._complaint = ""
        self._task: asyncio.Task[None] | None = None

    def look(self, settings: Settings) -> None:
        """Start a child if something changed, and the last one is long enough ago or the config is another one."""
        now = time.monotonic()
        rests = now - self._began_at < self._rest or now - self._looked_at < self._pause
        if self._task or (rests and self._asked == settings.mcp):
            return
        self._asked, self._looked_at = settings.mcp, now
        stat = files.signature(paths.mcp_servers_file())
        if stat != self._last[0]:
            self._last = stat, found.load()
        if due(settings.mcp, self._last[1]):
            self._began_at = now
            self._task = asyncio.get_running_loop().create_task(self._discover(dict(settings.environment)))
            self._task.add_done_callback(self._ended)

    async def first(self, settings: Settings, stop: asyncio.Event) -> None:
        """Where nobody ever looked, wait a little for the result: the first notice, too, names the servers that stop."""
        if found.load() is None:
            self.look(settings)
        if self._task:
            stopping = asyncio.get_running_loop().create_task(stop.wait())
            await asyncio.wait({self._task, stopping}, timeout=_FIRST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()

    async def close(self) -> None:
        """End the child."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _discover(self, environment: dict[str, str]) -> None:
        ended = await children.run(["mcp", "discover"], environment, _CHILD_SECONDS)
        complaint = "" if ended.lines else plain(ended.complaint, 200)
        if complaint and complaint != self._complaint:
            log.warning("MCP servers could not be looked for: %s", complaint)
        self._complaint = complaint
        if ended.lines:
            known, broken = map(ended.lines[-1].get, ("servers", "broken"))
            log.info("MCP servers that use AWS: %s; files that cannot be read: %s", known, broken)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            return
        if fault := task.exception():
            log.error("the discovery of MCP servers failed inside the watcher", exc_info=fault)
        self._tick()
