"""Wakes the service: at the moment the plan names, and at every heartbeat (an edge; owns APScheduler).

It causes ticks and decides nothing. Each rule stands for a trap of APScheduler 3.11 that was measured by moving the wall
clock under a running process, which is what a suspend looks like (Linux CLOCK_MONOTONIC stands still in it):
1. One date job, replaced; never a job per action, which would be a second copy of the plan. No interval job: 30 days of
   sleep make 172 800 run times of one with 15 s, and a second of blocked loop.
2. `misfire_grace_time=None`: with the default of 1 s a job that was overslept is dropped ("was missed by 6:00:00").
3. The countdown to a job is monotonic, so a job due in 5 h was still pending 1 h after its time when the machine had
   slept for 6 h. A beat calls `wakeup()`: it ran at the first one. Where the kernel tells of a resume (`clock_set.py`)
   that is at once, elsewhere within a heartbeat.
4. The heartbeat is a plain timer of the loop: as a job of APScheduler it was dead for 6 h after a clock step of -6 h.
5. The job is a coroutine: a plain function would run in the loop's thread pool, which starts a thread for it.
6. UTC is given everywhere, so that tzlocal is never asked for the local zone.
The monotonic clock appears only here: wall minus monotonic time is how long the machine slept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from ssowatch.clock import utc_now

JUMP = timedelta(seconds=10)
"""Below it a gap between the clocks is a loaded machine or a clock being disciplined."""


class Wakeup:
    """Calls `tick` at the moment given to `at` and at every heartbeat, on the loop that ran `start`.

    Before such a tick it calls `resumed` with the gap when the wall clock moved more than `jump` against the monotonic
    one: positive after a suspend or a step forward, negative after a step back.
    """

    def __init__(
        self,
        tick: Callable[[], None],
        resumed: Callable[[timedelta], None],
        *,
        heartbeat: timedelta,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        jump: timedelta = JUMP,
    ) -> None:
        self._tick = tick
        self._resumed = resumed
        self._heartbeat = heartbeat
        self._clock = clock
        self._monotonic = monotonic
        self._jump = jump
        self._seen = (clock(), monotonic())
        self._when: datetime | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # at INFO it reports each of our changes
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._seen = (self._clock(), self._monotonic())
        self._scheduler.start()
        self._arm(self._loop)

    def at(self, when: datetime | None) -> None:
        """Tick at this moment, instead of the one given before; None: at the heartbeat only.

        A moment in the past ticks at once. The same moment again costs nothing.
        """
        if when == self._when or self._closed:
            return
        if when is None:
            with contextlib.suppress(JobLookupError):  # it is about to run
                self._scheduler.remove_job("wake")
        else:
            self._scheduler.add_job(
                self._due,
                DateTrigger(when, timezone=UTC),
                args=(when,),
                id="wake",
                replace_existing=True,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
        self._when = when

    def every(self, heartbeat: timedelta, jump: timedelta = JUMP) -> None:
        """Change the heartbeat, and how far the clocks may drift apart in it before that counts as a jump."""
        self._jump = jump
        if heartbeat != self._heartbeat:
            self._heartbeat = heartbeat
            if self._loop and not self._closed:
                self._arm(self._loop)

    def beat(self) -> None:
        """Look at the clocks and tick now, as at a heartbeat; the next one is a whole heartbeat away."""
        if self._loop and not self._closed:
            self._arm(self._loop)  # first: whatever fails below, the heart goes on
            self._scheduler.wakeup()
            self._wake()

    def close(self) -> None:
        """End: nothing ticks from here on. Harmless when called twice or before `start`."""
        if self._timer:
            self._timer.cancel()
        if self._loop and not self._loop.is_closed() and not self._closed and self._scheduler.running:
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=False)  # at the loop's next turn
        self._closed = True

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_later(self._heartbeat.total_seconds(), self.beat)

    async def _due(self, when: datetime) -> None:
        if self._when == when:
            self._when = None
        # Out of APScheduler, which would log what a tick raises and keep it from the loop's exception handler.
        asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        if self._closed:
            return
        now, monotonic = self._clock(), self._monotonic()
        gap = now - self._seen[0] - timedelta(seconds=monotonic - self._seen[1])
        self._seen = (now, monotonic)
        if abs(gap) > self._jump:
            self._resumed(gap)
        self._tick()
