"""The watcher: one loop, one owner of state, one `tick()` (composition root of `ssowatch run`).

Rules of this file:
1. Level, not edge. A file event, the timer, the heartbeat, a resume or set clock, the network, a child's end, a request
   and SIGHUP all call the same `tick`: read the world, plan, act, publish, arm the next wake-up. Losing or doubling one
   of them changes nothing, and neither does a night asleep.
2. This process keeps no secret and makes no call: what acts is a child (`ssowatch refresh`).
3. A fault in a tick is logged and the next cause tries again; systemd's watchdog is fed by finished ticks only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from ssowatch import children, files, heartbeat, kinds, memories, memory, paths, protocol, sdnotify, successor, wording
from ssowatch.act_log import ActLog
from ssowatch.asks import Asks
from ssowatch.clock import utc_now
from ssowatch.clock_set import ClockSet
from ssowatch.hook_events import HookEvents
from ssowatch.mcp.rediscovery import Rediscovery
from ssowatch.model import Memory, Renewal
from ssowatch.network import NetworkUp
from ssowatch.only_one import OnlyOne
from ssowatch.plain import plain
from ssowatch.protocol import Row
from ssowatch.publishing import Publishing
from ssowatch.server import Server
from ssowatch.wakeup import Wakeup
from ssowatch.watch import Folders
from ssowatch.world import Sight, World

log = logging.getLogger("ssowatch")

_RENEWAL_SECONDS = 120.0
"""A child's deadline, above its own (`refresh._DEADLINE_SECONDS`), so that it can say what happened."""
_HOLD = timedelta(seconds=30)
"""No child for a sign-in sooner after one that found nothing to do: a plan that its own child contradicts must not
spin. (A failure has its back-off in the memory.)"""
_BREATH = timedelta(seconds=2)
"""No child sooner after one that said nothing: where nothing can be read or written its back-off is not known."""
_SET_BACK = timedelta(seconds=60)


class Watcher:
    """What `ssowatch run` runs."""

    def __init__(self, world: World, clock: Callable[[], datetime] = utc_now) -> None:
        self._world = world
        self._clock = clock
        self._since = clock()
        self._renewing: set[str] = set()
        self._nudged: set[str] = set()  # of these, whose network came up in the middle of it
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, datetime] = {}
        self._publishing = Publishing()
        self._state_said: dict[str, tuple[str, str | None]] = {}
        self._problem_said: str | None = None
        self._sight: Sight | None = None
        self._asks = Asks(world, self.tick, clock)
        self._hooks = HookEvents()
        self._acts = ActLog()
        self._rediscovery = Rediscovery(self.tick)
        self._successor = successor.Successor()
        self._succeeding: asyncio.Task[None] | None = None
        self._taken_away = False
        self.succeeded = False
        """It ended for an upgraded program, which is to be started in its place."""
        self._feeding = (sdnotify.watchdog_interval() or timedelta.max) / 2

    async def run(self) -> int:
        """Watch until SIGTERM or SIGINT; the exit code is 0, or 1 if the state directory was taken away meanwhile.

        Raises:
            AlreadyRunningError: another watcher runs for this home.
            OSError: the state directory cannot be made.

        """
        with OnlyOne() as self._lock:
            await self._run()
            return int(self._taken_away)  # as it was seen: by now it may be back, and 0 is not started again

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._stop = stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._folders = Folders(self.tick, loop)
        self._network = NetworkUp(loop, partial(self._nudge, "the network came up"))
        self._wakeup = Wakeup(self.tick, self._resumed, heartbeat=heartbeat.QUICK)
        self._clock_set = ClockSet(loop, self._wakeup.beat)
        self._hears = self._clock_set.open()
        server = Server(self._respond)
        try:
            try:
                await server.start()
            except OSError as error:
                self._hears = False
                log.warning(
                    "no socket: %s: %s; going on without it", error.filename or paths.socket_path(), error.strerror
                )
            self._wakeup.start()
            await self._rediscovery.first(self._world.settings, stop)
            self.tick()
            sdnotify.notify(READY=1)
            log.info("watching; state in %s", paths.state_dir())
            await stop.wait()
        finally:
            sdnotify.notify(**({"RELOADING": 1} if self.succeeded else {"STOPPING": 1}))
            await server.close()
            self._folders.close()
            self._network.close()
            self._clock_set.close()
            self._wakeup.close()
            await self._asks.close()
            await self._hooks.close()
            await self._rediscovery.close()
            for task in (*self._tasks, *filter(None, [self._succeeding])):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def tick(self) -> None:
        """Look, plan, act, publish, arm the next wake-up."""
        try:
            if not self._lock.holds():
                log.error("%s was taken away; ending, so that a new start makes it anew", paths.state_dir())
                self._taken_away = True
                self._stop.set()
                return
            self._folders.sync(_folders())  # before the look: what happens after it is heard
            now = self._clock()
            sight = self._sight = self._world.look(now, self._asks.presence)
            self._act(sight, now)
            self._publish(sight, now)
            self._succeed(sight)
            self._arm(sight, now)
            sdnotify.notify(WATCHDOG=1, STATUS=wording.service_line(sight.rows, sight.problem))
        except Exception:
            log.exception("a tick failed; the next cause tries again")

    def _act(self, sight: Sight, now: datetime) -> None:
        problem = sight.problem.message if sight.problem else None
        if problem != self._problem_said:
            self._problem_said = problem
            fix = f"; {sight.problem.fix}" if sight.problem and sight.problem.fix else ""
            log.info("%s", plain(problem + fix, 600) if problem else "the configs are well again")
        due = []
        for row in sight.rows:
            name = row.sign_in.name
            self._say(row)
            if Renewal() in row.plan.actions and name not in self._renewing and self._held.get(name, now) <= now:
                due.append(row)
        self._asks.act(sight)
        self._hooks.look(sight, now)
        self._acts.look(sight.rows, now, self._asks.seen)
        self._rediscovery.look(sight.settings)
        if due and not self.succeeded:
            names = {row.sign_in.name for row in due}
            self._renewing |= names
            task = asyncio.get_running_loop().create_task(self._renew(due, dict(sight.settings.environment)))
            self._tasks.add(task)
            task.add_done_callback(partial(self._renewal_ended, names=names))

    async def _renew(self, rows: list[Row], environment: dict[str, str]) -> None:
        names = [row.sign_in.name for row in rows]
        began = self._clock()
        ended = await children.run(["refresh", "--due", "--json", "--", *names], environment, _RENEWAL_SECONDS)
        said = {line.get("name"): line for line in ended.lines}
        for row in rows:
            name = row.sign_in.name
            outcome = str(said[name].get("outcome")) if name in said else "unreachable"
            message = plain(str(said[name].get("message", "")) if name in said else f"the renewal {ended.complaint}")
            log.log(_LEVELS.get(outcome, logging.WARNING), "%s: %s: %s", plain(name), outcome, message)
            if outcome == "unreachable":
                self._note_failure(row, message, began)
                if name not in said:
                    self._held[name] = self._clock() + _BREATH
            elif outcome == "renewed":
                self._hooks.renewed(row, self._world.settings)
            else:
                self._held[name] = self._clock() + _HOLD

    def _note_failure(self, row: Row, reason: str, began: datetime) -> None:
        """What the child could not write down itself: it died, or the disk would not take it."""
        token, draw, now = row.token, random.random(), self._clock()  # noqa: S311 - jitter

        def change(known: Memory) -> Memory:
            written = known.token.failure and known.token.attempted_at and known.token.attempted_at >= began
            return known if written or not token else memory.failed(known, token, reason, now, draw, begun=False)

        self._world.note(row.sign_in.name, change)

    def _renewal_ended(self, task: asyncio.Task[None], names: set[str]) -> None:
        """However it ended, these sign-ins are free for the next renewal."""
        self._renewing -= names
        self._tasks.discard(task)
        if task.cancelled():
            return
        if fault := task.exception():
            log.error("a renewal failed inside the watcher", exc_info=fault)
            self._held |= dict.fromkeys(names, self._clock() + _HOLD)
        self.tick()
        if self._nudged & names:
            self._nudge("the network came up meanwhile")

    def _publish(self, sight: Sight, now: datetime) -> None:
        watcher = protocol.WatcherFacts(os.getpid(), self._since, sight.paused_until)
        self._publishing.put(protocol.document(now, watcher, sight.problem, sight.rows, sight.unwatched))

    def _arm(self, sight: Sight, now: datetime) -> None:
        names = {row.sign_in.name for row in sight.rows}
        self._held = {name: until for name, until in self._held.items() if name in names and now < until <= now + _HOLD}
        waits = self._asks.unshown or self._world.unsettled or self._successor.stirs
        waits = waits or sight.problem is not None or self._publishing.fault is not None
        hears = self._hears and self._folders.hears_all
        beat = heartbeat.interval(sight.settings.heartbeat, hears=hears, waits=waits or heartbeat.awaited(sight.rows))
        self._wakeup.every(min(beat, self._feeding), sight.settings.resume_threshold)
        moments = (sight.paused_until, *heartbeat.moments(sight.rows), *self._held.values())
        self._wakeup.at(min(filter(None, moments), default=None))
        if self._renewing or any(row.plan.memory.token.attempts for row in sight.rows):
            self._network.open()
        else:
            self._network.close()

    def _succeed(self, sight: Sight) -> None:
        """Make room for an upgraded program, once the renewals under way are over."""

        async def make_room(environment: dict[str, str]) -> None:
            self.succeeded = await self._successor.works(environment)
            if self.succeeded:
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._stop.set()

        if self._successor.settled() and not (self._succeeding and not self._succeeding.done()):
            work = make_room(dict(sight.settings.environment))
            self._succeeding = asyncio.get_running_loop().create_task(work)

    def _say(self, row: Row) -> None:
        """One log line per change of a sign-in's state or problem."""
        name, plan = row.sign_in.name, row.plan
        now_said = (plan.state, plan.problem.code if plan.problem else None)
        if self._state_said.get(name) != now_said:
            self._state_said[name] = now_said
            log.info("%s", wording.state_line(row))

    def _resumed(self, gap: timedelta) -> None:
        log.info("the clock moved by %s s (sleep, or it was set)", round(gap.total_seconds()))
        self._held.clear()
        if gap < -_SET_BACK and self._sight:
            for row in self._sight.rows:
                with suppress(files.BusyError, OSError):
                    memories.update(row.sign_in.name, memory.doubted)
        self._nudge("resumed")

    def _nudge(self, why: str) -> None:
        """What waits for AWS is tried at once."""
        now, self._nudged = self._clock(), set(self._renewing)
        waiting = [row for row in (self._sight.rows if self._sight else ()) if row.plan.memory.token.attempts]
        for row in waiting:
            with suppress(files.BusyError, OSError):
                memories.update(row.sign_in.name, partial(memory.nudged, now=now))
        if waiting:
            log.info("%s: trying again", why)
            self.tick()

    def _reload(self) -> None:
        sdnotify.notify(RELOADING=1)
        self._world.forget()
        self.tick()
        sdnotify.notify(READY=1)

    def _respond(self, do: str) -> bytes:
        if do == "look":
            self.tick()
            return protocol.answer()
        return protocol.answer(self._publishing.published())


_LEVELS = {"renewed": logging.INFO, "adopted": logging.INFO, "not_due": logging.INFO}


def _folders() -> tuple[str, ...]:
    """Where changes matter. A cache that is renamed tells nothing itself, so the directory around it is listened to."""
    configs = {os.path.dirname(path) for path in (paths.aws_config(), paths.aws_credentials(), paths.config_file())}  # noqa: PTH120
    around = os.path.dirname(paths.token_cache())  # noqa: PTH120
    return (*kinds.folders(), around, *sorted(configs), *successor.folder())
