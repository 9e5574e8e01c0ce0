"""When the user's own commands are run: `on_renewed`, `on_login_required`, `on_signed_in` (composition).

Rules of this file:
1. An event is what a look finds new against the look before, or what is being recorded at this very look. So a crash
   or a restart repeats none.
2. A hook can hold up nothing: it is a task of its own, its complaint one line of the log.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from ssowatch import hooks, login_text, protocol
from ssowatch.model import Cause, Renewal
from ssowatch.plain import plain
from ssowatch.protocol import Row
from ssowatch.settings import Settings
from ssowatch.world import Sight

log = logging.getLogger("ssowatch")


class HookEvents:
    """Runs the hooks of one watcher."""

    def __init__(self) -> None:
        self._began: dict[str, datetime | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self, sight: Sight, now: datetime) -> None:
        """Find what happened since the last look."""
        for row in sight.rows:
            lineage = row.plan.memory.lineage
            before = self._began.get(row.sign_in.name, lineage.began_at)
            self._began[row.sign_in.name] = lineage.began_at
            if lineage.began_at != before and row.token:
                after = login_text.after(row.mcp_servers)
                self._run("signed_in", row, f"{plain(row.sign_in.name)}: signed in", sight.settings, after)
            asked = any(not isinstance(act, Renewal) and act.cause is Cause.REFUSED for act in row.plan.actions)
            if asked or lineage.ended_at == now:
                self._run("login_required", row, f"{plain(row.sign_in.name)}: sign in to AWS", sight.settings)

    def renewed(self, row: Row, settings: Settings) -> None:
        """After a renewal of ours."""
        self._run("renewed", row, f"{plain(row.sign_in.name)}: renewed", settings)

    async def close(self) -> None:
        """End what runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, kind: str, row: Row, title: str, settings: Settings, message: str = "") -> None:
        argv: tuple[str, ...] = getattr(settings.hooks, f"on_{kind}")
        if not argv:
            return
        event = protocol.event(kind, row, title, row.plan.problem.message if row.plan.problem else message)

        async def run() -> None:
            if complaint := await hooks.run(argv, event, dict(settings.environment)):
                log.warning("the hook on_%s: %s", kind, plain(complaint, 200))

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
