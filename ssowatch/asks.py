"""What the watcher does where only a person can help: notices, their buttons, tabs, and who is at the screen (composition).

Rules of this file:
1. The planner decides; here its notices are kept open for as long as their cause holds, and withdrawn then.
2. One notifier child shows all open notices; it runs only while there is one. It may hang, die or find no bus: that
   costs a child, and the notices are tried again.
3. Presence is asked when something due depends on it, then at the heartbeat, and holds for one tick only. After an
   unlock 20 seconds pass first: a person who comes back is not met by a tab. With each renewal it is asked, too, once:
   for the log of acts, which tells how long a live token lay there with nobody present.
4. A button is a human act: it ends what was put off or denied. The sign-in itself is a flow that this child only joins,
   so that neither our end nor a restart interrupts it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ssowatch import children, forecast, memory, modes, notice_text, presence, protocol, quiet_hours, standing, wording
from ssowatch.mcp import hanging
from ssowatch.model import Button, Cause, Memory, Notice, Presence, Renewal, SignIn, Tab
from ssowatch.plain import plain
from ssowatch.protocol import Row
from ssowatch.world import Sight, World

log = logging.getLogger("ssowatch")

_AFTER_UNLOCK = 20.0
_PRESENCE_REST = 2.0
_SHOW_AGAIN = 60.0
_RENEWAL_SECONDS = 120.0
_REST = 61.0
"""No token is renewed within 60 s of its last success."""
_LOGIN_SECONDS = 86400.0
"""A flow has its own deadlines; this one is for a child that hangs."""
_TAKEN_BACK = frozenset({"desktop", "dialog", "toast"})
"""Channels whose notices vanish with our end. What a program or a mail has told once is not told again."""
_EVENTS = {
    Cause.OFFER: "expiring",
    Cause.ENDING: "expiring",
    Cause.REFUSED: "login_required",
    Cause.ENDED: "login_required",
}


@dataclass(slots=True)
class _Open:
    """A notice that is to be seen."""

    id: str
    notice: Notice
    row: Row
    shown: bool = False
    channel: str = ""
    """That showed it."""


class Asks:
    """The notices, tabs and questions of one watcher."""

    def __init__(self, world: World, tick: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._world = world
        self._tick = tick
        self._clock = clock
        self.presence: Presence | None = None
        """Who is there, as the next look is told; None when nobody was asked."""
        self.seen: Presence | None = None
        """Who was there when it was last asked."""
        self._settled_at = 0.0
        self._asked_at = -_PRESENCE_REST
        self._told_at = 0.0
        self._open: dict[str, _Open] = {}
        self._sign_ins: dict[str, SignIn] = {}
        self._environment: dict[str, str] = {}
        self._wishes: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def act(self, sight: Sight) -> None:
        """Do what the plans of this look ask for."""
        self._environment = dict(sight.settings.environment)
        before = [one.id for one in self._open.values()]
        rows = {row.sign_in.name: row for row in sight.rows}
        self._sign_ins = {name: row.sign_in for name, row in rows.items()}
        self._open = {name: one for name, one in self._open.items() if _still(one, rows.get(name))}
        for name, row in rows.items():
            for action in row.plan.actions:
                match action:
                    case Notice() | Tab():
                        log.warning("%s", wording.ask_line(row, action))
                match action:
                    case Notice():
                        began = row.plan.memory.lineage.began_at
                        self._open[name] = _Open(f"{name} {action.cause} {protocol.moment(began)}", action, row)
                    case Tab():
                        self._sign_in(name, "--unasked")
        again = self.unshown and time.monotonic() - self._told_at >= _SHOW_AGAIN
        if before != [one.id for one in self._open.values()] or again:
            self._show()
        if any(row.plan.waits or Renewal() in row.plan.actions for row in sight.rows):
            self._look_up()

    @property
    def unshown(self) -> bool:
        """Whether a notice is still to be shown: it is tried again at a later tick."""
        return any(not one.shown for one in self._open.values())

    async def close(self) -> None:
        """End every child; the notices go with theirs, to be shown by the next watcher; the flows stay."""
        for name in [name for name, one in self._open.items() if one.channel in _TAKEN_BACK]:
            one = self._open[name]
            self._note(name, partial(memory.withdrawn, cause=one.notice.cause))
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # notices

    def _show(self) -> None:
        self._told_at = time.monotonic()
        if not self._open:
            if task := self._tasks.pop("notifier", None):
                task.cancel()
            return
        if "notifier" not in self._tasks:
            self._wishes = asyncio.Queue()
            talk = children.talk(["notify", "--child"], self._environment, self._wishes, self._heard)
            self._start("notifier", self._notifier(talk))
        now, names = self._clock().astimezone(), list(self._open)
        shows = []
        for number, one in enumerate(self._open.values()):
            title, message = notice_text.title_and_message(
                one.row.sign_in, one.row.plan, one.notice.cause, now,
                servers=hanging.stopping(one.row.mcp_servers), position=(number + 1, len(names)), others=names[number + 1 :],
            )  # fmt: skip
            event = protocol.event(_EVENTS[one.notice.cause], one.row, title, message, one.notice.buttons)
            shows.append({"id": one.id, "stays": one.notice.cause is Cause.ENDED, "event": event})
        self._wishes.put_nowait({"show": shows})

    async def _notifier(self, talk: Coroutine[Any, Any, str]) -> None:
        complaint = await talk
        log.warning("the notifier ended: %s; the notices are tried again", plain(complaint, 200))
        for one in self._open.values():
            one.shown = False

    def _heard(self, said: dict[str, Any]) -> None:
        """A line of the notifier child."""
        kind = next((kind for kind in ("shown", "not_shown", "pressed", "closed") if kind in said), None)
        name = next((name for name, one in self._open.items() if kind and one.id == said[kind]), None)
        if name is None:
            return
        one = self._open[name]
        match kind:
            case "shown":
                one.shown, one.channel = True, str(said.get("channel"))
                self._note(name, partial(memory.unheard, why=None))
                log.info("%s: notice shown: %s (%s)", plain(name), one.notice.cause, plain(str(said.get("channel"))))
            case "not_shown":
                one.shown = False  # also one that was shown, and lost with its bus
                why = plain(str(said.get("why")), 200)
                self._note(name, partial(memory.unheard, why=why))
                log.warning("%s: no notice could be shown: %s", plain(name), why)
            case "pressed":
                self._pressed(name, str(said.get("button")))
            case "closed":
                del self._open[name]
                if one.row.plan.memory.lineage.asked:  # programs that wait are told
                    self._note(name, partial(memory.tab_denied, reason="the notice was closed", now=self._clock()))
                self._tick()

    def _pressed(self, name: str, label: str) -> None:
        """A human act."""
        if label not in self._open.pop(name).notice.buttons:
            return
        log.info("%s: pressed: %s", plain(name), label)
        self._note(name, memory.human_act)
        match label:
            case Button.SIGN_IN | Button.FRESH:
                self._start(f"login {name}", self._sign_in_portal(name, fresh=label == Button.FRESH))
            case Button.WHEN_IT_ENDS:
                self._note(name, memory.when_it_ends)
            case Button.NOT_TODAY:
                self._note(name, partial(memory.not_today, until=quiet_hours.midnight(self._clock())))
        self._tick()

    def _note(self, name: str, change: Callable[[Memory], Memory]) -> None:
        self._world.note(name, change)

    # sign-ins

    def _sign_in(self, name: str, *how: str) -> None:
        self._start(f"login {name}", self._login(name, how))

    async def _sign_in_portal(self, name: str, *, fresh: bool) -> None:
        """Sign in, and then, one after the other, those of the same portal that need a person too."""
        portal = forecast.portal(self._sign_ins[name].start_url)  # before the tab: the AWS config may change meanwhile
        if not await self._login(name, ("--fresh",) if fresh else ()):
            return
        others = [
            one
            for one in self._sign_ins.values()
            if portal and one.name != name and forecast.portal(one.start_url) == portal
        ]
        if others:  # what ended this one, AWS or we, may have ended them with it: AWS is asked
            await self._ask_aws([one.name for one in others])
        now = self._clock()
        for one in others:
            stands, around = standing.look(one, now), self._world.around(one.name, now)
            if stands.token and not stands.good and not modes.hushed_until(stands.lineage, around, now):
                self._sign_in(one.name, "--unasked")

    async def _ask_aws(self, names: list[str]) -> None:
        """Renew these, so that it is known whether they live; those that were renewed a moment ago, a moment later."""
        ended = await children.run(["refresh", "--json", "--", *names], self._environment, _RENEWAL_SECONDS)
        if rested := [str(line["name"]) for line in ended.lines if line.get("outcome") == "not_due"]:
            await asyncio.sleep(_REST)
            await children.run(["refresh", "--json", "--", *rested], self._environment, _RENEWAL_SECONDS)

    async def _login(self, name: str, how: tuple[str, ...]) -> bool:
        """Whether it succeeded."""
        ended = await children.run(["login", "--json", *how, "--", name], self._environment, _LOGIN_SECONDS)
        last = ended.lines[-1] if ended.lines else {}
        outcome = str(last.get("outcome", "unreachable"))
        message = str(last["message"]) if "message" in last else f"the sign-in {ended.complaint}"
        log.log(
            logging.INFO if outcome == "signed_in" else logging.WARNING,
            "%s: %s: %s", plain(name), plain(outcome), plain(message, 300),
        )  # fmt: skip
        return outcome == "signed_in"

    # presence

    def _look_up(self) -> None:
        rest = max(self._asked_at + _PRESENCE_REST, self._settled_at) - time.monotonic()
        if rest <= 0:
            self._start("presence", self._ask_presence())

    async def _ask_presence(self) -> None:
        self._asked_at = time.monotonic()
        found = await presence.ask()
        came_back = found is Presence.PRESENT and self.seen in {Presence.LOCKED, Presence.IDLE}
        self.seen = found
        if came_back:
            log.info("somebody is back at the screen")
            self._settled_at = time.monotonic() + _AFTER_UNLOCK
            asyncio.get_running_loop().call_later(_AFTER_UNLOCK, self._tick)
            for name in self._sign_ins:  # nothing is written where nothing was denied; the next tick reads it
                self._note(name, memory.back)
            return
        self.presence = found
        self._tick()
        self.presence = None

    def _start(self, key: str, work: Coroutine[Any, Any, Any]) -> None:
        """One task of each kind at a time."""
        if key in self._tasks:
            work.close()
            return
        task = self._tasks[key] = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if task.cancelled():
            return
        if fault := task.exception():
            log.error("%s failed inside the watcher", key, exc_info=fault)
        if key != "presence":
            self._tick()


def _still(one: _Open, row: Row | None) -> bool:
    """Whether a notice is still true, and nobody answers it already."""
    if row is None or row.plan.cause is not one.notice.cause or row.signing_in or row.paused_until:
        return False
    return row.plan.memory.lineage.began_at == one.row.plan.memory.lineage.began_at
