"""A flow that asks before it begins: the modes table for a caller without a terminal where no watcher runs (composition).

Rules of this file:
1. The planner decides, as it does in the watcher: a notice, the one tab of `auto`, or nothing yet (a locked screen).
2. What was shown by a process that is gone is not on the screen any more, so this flow's own notice is the first.
3. The notice stays, for a day at most, until a button is pressed, it is closed, or the token is good by another way.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from ssowatch import asking, cache, files, memories, memory, notice_text, planner, presence, protocol, quiet_hours
from ssowatch.clock import utc_now
from ssowatch.joining import Ask, environment
from ssowatch.mcp import hanging
from ssowatch.model import Button, Memory, Mode, Notice, Plan, SignIn, Tab
from ssowatch.outcomes import Outcome, Result
from ssowatch.protocol import Row
from ssowatch.world import World

_DAY = timedelta(days=1)
_LOOK_SECONDS = 0.5
_PRESENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Permission:
    """The sign-in may begin."""

    fresh: bool = False


def permission(world: World, sign_in: SignIn, ask: Ask, good: Callable[[], bool]) -> Permission | Outcome:
    """Wait until it may begin; an outcome where it may not, or need not any more."""
    until = utc_now() + _DAY
    _remember(sign_in, lambda known: replace(known, lineage=replace(known.lineage, noticed=())))
    while utc_now() < until:
        plan, row = _plan(world, sign_in, ask)
        for action in plan.actions:
            match action:
                case Tab():
                    _remember(sign_in, partial(_as_planned, plan))
                    return Permission()
                case Notice():
                    _remember(sign_in, partial(_as_planned, plan))
                    return _asked(world, row, action, good, until)
        next_look = time.monotonic() + _PRESENCE_SECONDS
        while time.monotonic() < next_look:
            if good():
                return Outcome(Result.SIGNED_IN, "signed in by another way meanwhile")
            time.sleep(_LOOK_SECONDS)
    return Outcome(Result.TIMED_OUT, "nobody was there to be asked")


def _plan(world: World, sign_in: SignIn, ask: Ask) -> tuple[Plan, Row]:
    """What the planner says at this moment, as somebody asks for this sign-in."""
    now = utc_now()
    policy = world.policy(sign_in)
    if ask is Ask.NOTICE:
        policy = replace(policy, mode=Mode.NOTIFY)  # a notice was asked for, whatever the mode
    file = cache.TokenCache().look(sign_in.name, now)
    known = memory.asked(memory.observed(memories.load(sign_in.name), sign_in, file.token, now), now)
    around = replace(world.around(sign_in.name, now, asyncio.run(presence.ask())), signing_in=False)  # that is us
    plan = planner.plan(sign_in, file, known, policy, around, now)
    return plan, Row(sign_in, file.token, plan, mcp_servers=world.servers_of(sign_in.name))


def _asked(world: World, row: Row, notice: Notice, good: Callable[[], bool], until: datetime) -> Permission | Outcome:
    """Show the notice, and wait for its button."""
    now = utc_now()
    servers = hanging.stopping(row.mcp_servers)
    title, message = notice_text.title_and_message(
        row.sign_in, row.plan, notice.cause, now.astimezone(), servers=servers
    )
    event = protocol.event("login_required", row, title, message, notice.buttons)
    wish = {"id": f"{row.sign_in.name} {notice.cause}", "stays": True, "event": event}
    answers: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(asking.ask(wish, environment(world)))
        except Exception as error:  # noqa: BLE001 - told to the other thread
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()  # ends with this process, and the notice with it
    while True:
        try:
            return _answered(row.sign_in, answers.get(timeout=_LOOK_SECONDS))
        except queue.Empty:
            if good():
                return Outcome(Result.SIGNED_IN, "signed in by another way meanwhile")
            if utc_now() >= until:
                return Outcome(Result.TIMED_OUT, "the notice was ignored for a day")


def _answered(sign_in: SignIn, answer: str | Exception | None) -> Permission | Outcome:
    """What a button means."""
    now = utc_now()
    match answer:
        case Button.SIGN_IN | Button.FRESH:
            _remember(sign_in, memory.human_act)
            return Permission(fresh=answer == Button.FRESH)
        case asking.NotShownError():
            _remember(sign_in, partial(memory.unheard, why=str(answer)))
            return Outcome(Result.FAILED, f"no notice can be shown here: {answer}")
        case Exception():
            return Outcome(Result.FAILED, f"the notice failed: {type(answer).__name__}")
        case Button.NOT_TODAY:
            _remember(sign_in, partial(memory.not_today, until=quiet_hours.midnight(now)))
            return Outcome(Result.DENIED, "put off until tomorrow by the button Not today")
    _remember(sign_in, partial(memory.tab_denied, reason="the notice was closed", now=now))
    return Outcome(Result.DENIED, "the notice was closed")


def _as_planned(plan: Plan, known: Memory) -> Memory:
    return replace(known, lineage=plan.memory.lineage)


def _remember(sign_in: SignIn, change: Callable[[Memory], Memory]) -> None:
    with suppress(files.BusyError, OSError):
        memories.update(sign_in.name, change)
