"""`ensure` and `exec`: a sign-in that works, or why not (composition).

Rules of this file:
1. A good token costs a look. Nothing is called, and boto3 is imported by the one that renews alone.
2. A renewal comes before a person, except after a refusal, which is remembered. N callers make one call: the write lock
   orders them, and a failure rests for all.
3. Nobody is asked for lack of minutes alone. What counts in the end is whether calls work now.
4. Every wait looks again and again at what is true (token, flow, memory, watcher), so it does not matter who acts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from ssowatch import (
    client,
    durations,
    files,
    flows,
    joining,
    kinds,
    login_text,
    memories,
    memory,
    offers,
    paths,
    published,
    renewal,
    renewed_in_use,
    standing,
    ways,
)
from ssowatch.clock import utc_now
from ssowatch.flow_record import SIGNED_IN, UNREACHABLE, Record
from ssowatch.joining import Ask
from ssowatch.model import Memory, Mode, SignIn
from ssowatch.plain import plain
from ssowatch.problems import login_command
from ssowatch.renewal import Result
from ssowatch.standing import Standing
from ssowatch.time_of_day import shown
from ssowatch.wish import Login, Verdict, Wish
from ssowatch.world import World

_LOOK_SECONDS = 0.1
_MEMORY_SECONDS = 5.0
_REST_SECONDS = 31.0  # longer than any back-off of a token that has run out
_USED_AGAIN = timedelta(minutes=10)
"""A use is written down no more often; it matters by the week."""


def ensure(world: World, sign_in: SignIn, wish: Wish, say: Callable[[str], None]) -> Verdict:
    """Make it work; `say` is told what a person at the terminal must see meanwhile. Raises KeyboardInterrupt alone."""
    if sign_in.problem:
        return Verdict(os.EX_CONFIG, plain(sign_in.problem.message, 600))
    try:
        return _Caller(world, sign_in, wish, say).run()
    except files.BusyError:
        return Verdict(os.EX_TEMPFAIL, "another ssowatch process holds its lock and does not answer")
    except OSError as error:
        return Verdict(1, f"{error.filename or 'our state'}: {error.strerror}")
    except KeyboardInterrupt:
        if flows.running(sign_in.name):
            say(f"\n{plain(sign_in.name)}: the sign-in stays open; {login_command(sign_in)} joins it.")
        raise


def at_terminal() -> bool:
    """Whether a person waits here. An MCP client may pass its terminal on as stderr alone, so that is not enough."""

    def tty(stream: object) -> bool:
        return bool(stream) and stream.isatty()  # type: ignore[attr-defined]

    return tty(sys.stdin) or (tty(sys.stdout) and tty(sys.stderr))


class _Caller:
    def __init__(self, world: World, sign_in: SignIn, wish: Wish, say: Callable[[str], None]) -> None:
        self._world = world
        self._sign_in = sign_in
        self._name = sign_in.name
        self._wish = wish
        self._say = say
        self._tell = joining.Teller(sign_in, say) if wish.terminal else _nobody
        self._ends = None if wish.seconds is None else time.monotonic() + wish.seconds
        self._seen: object = ()
        self._standing = self._look()

    # What is true

    def _look(self) -> Standing:
        """Read anew when token or memory changed."""
        now = utc_now()
        stat = (files.signature(kinds.token_file(self._name)), files.signature(paths.memory_file(self._name)))
        if stat != self._seen or (self._standing.expires_at or now) <= now:
            self._standing = standing.look(self._sign_in, now)
            self._seen = stat
        return self._standing

    def _good(self) -> bool:
        return self._look().good

    def _left(self) -> float | None:
        return None if self._ends is None else self._ends - time.monotonic()

    # What is done

    def run(self) -> Verdict:
        lineage = self._standing.lineage
        if lineage.used_at is None or not timedelta() <= self._wish.since - lineage.used_at < _USED_AGAIN:
            self._note(partial(memory.used, now=self._wish.since))
        now = utc_now()
        if self._good() and self._short(now) is None:
            return self._verdict(0)
        renewed = self._renew()
        now, stands = utc_now(), self._look()
        if stands.good:
            if self._wish.until and (lacks := self._lacks(stands, self._wish.until, now)):
                return Verdict(1, lacks)
            return self._verdict(0, self._short(now) or "")
        if stands.works and self._wish.until is None and stands.left(now) >= self._wish.minutes:
            return self._verdict(
                0, f"AWS refuses to renew it ({plain(stands.refused or '')}), so sign in before that: {self._login}"
            )
        if not stands.works and not stands.refused and (renewed is Result.UNREACHABLE or stands.failure):
            return Verdict(os.EX_TEMPFAIL, f"AWS does not answer: {plain(stands.failure or 'no reason is known')}")
        verdict = self._ask()
        if verdict.code and self._look().works and self._wish.until is None:
            return self._verdict(0, verdict.message)  # a refused token that lives is worth its minutes
        return verdict

    def _short(self, now: datetime) -> str | None:
        """What the token lacks of what was wished for; None: nothing."""
        stands, wish = self._look(), self._wish
        if wish.until and (lacks := self._lacks(stands, wish.until, now)):
            return lacks
        if stands.left(now) < wish.minutes and not stands.in_use:
            return f"less than {durations.text(wish.minutes)}; no renewal gave more"
        return None

    def _lacks(self, stands: Standing, until: datetime, now: datetime) -> str | None:
        """Why it does not do until then, and what would."""
        plan = stands.plan(self._sign_in, self._world.policy(self._sign_in), self._world.around(self._name, now), now)
        if stands.works and plan.good_until and plan.good_until >= until:
            return None
        if stands.in_use and stands.works:
            return renewed_in_use.reach(plan, now)
        return offers.compared(plan, until, now, self._login)

    def _renew(self) -> Result | None:
        """Silently; None where there is nothing to renew, or AWS refused before."""
        stands = self._look()
        if stands.expires_at is None or stands.refused or stands.in_use:
            return None
        if self._wish.terminal:  # a person who comes back with the network waits for no back-off
            self._note(partial(memory.nudged, now=utc_now()))
        elif self._wish.login is not Login.NEVER:
            self._rest(stands)
        least = max(self._wish.minutes, timedelta.resolution)
        return renewal.renew(self._sign_in, self._world.policy(self._sign_in), only_due=False, at_least=least).result

    def _rest(self, before: Standing) -> None:
        """A failure rests for all: who comes meanwhile waits for the next try, and is not told of the last one."""
        ends = time.monotonic() + min(self._left() or _REST_SECONDS, _REST_SECONDS)
        while time.monotonic() < ends and self._look().rests(utc_now(), before.memory):
            time.sleep(_LOOK_SECONDS)

    def _ask(self) -> Verdict:
        """A person is needed."""
        login, at_once = self._wish.login, self._wish.terminal
        if login is Login.NEVER:
            return Verdict(1, f"{self._why()}; a sign-in is needed: {self._login}")
        if at_once:
            self._note(memory.human_act)
        elif refusal := self._refused_at_once():
            return refusal
        if login is Login.BROWSER or (at_once and login is Login.AUTO):
            return self._by_tab()
        return self._by_notice()

    def _refused_at_once(self) -> Verdict | None:
        """Why nobody is asked for a program now."""
        now, lineage = utc_now(), self._look().lineage
        if (until := memory.cooldown_until(lineage)) and until > now:
            again = f"programs may ask again after {shown(until, utc_now())}, you at once: {self._login}"
            return Verdict(1, f"{plain(lineage.denial or 'it was denied')}; {again}")
        if self._wish.login is Login.AUTO and self._world.policy(self._sign_in).mode is Mode.SILENT:
            return Verdict(1, f"{self._why()}, and mode: silent asks nobody; sign in: {self._login}")
        if until := self._world.around(self._name, now).paused_until:
            return Verdict(
                1, f"{self._why()}, and ssowatch is paused until {shown(until, utc_now())}; sign in: {self._login}"
            )
        return None

    def _by_tab(self) -> Verdict:
        chosen = joining.way(self._world, self._sign_in)
        if not self._wish.terminal and not chosen.opens and chosen.method != ways.COMMAND:
            return Verdict(1, f"{self._why()}, and there is no browser here; sign in at a terminal: {self._login}")
        found = joining.begin(
            self._world, self._sign_in, chosen, since=self._wish.since, now=utc_now(), needless=self._good_now
        )
        if found is None:
            return self._verdict(0)
        record, began = found
        if not began and not record.outcome:
            self._say(login_text.joined(record, fresh=False))
        return self._followed(record)

    def _by_notice(self) -> Verdict:
        """The watcher asks; where none runs, a flow that asks first."""
        self._note(partial(standing.asked, self._sign_in, utc_now()))
        client.ask("look")
        ask = Ask.NOTICE if self._wish.login is Login.ASK else Ask.MODE
        silent = self._world.policy(self._sign_in).mode is Mode.SILENT
        while True:
            if self._good():
                return self._verdict(0)
            if record := flows.running(self._name):
                return self._followed(record)
            lineage = self._look().lineage
            if lineage.denied_at and lineage.denied_at >= self._wish.since:
                return Verdict(1, plain(lineage.denial or "the sign-in was denied"))
            if (until := memory.cooldown_until(lineage)) and until > utc_now():
                return Verdict(1, plain(lineage.denial or "the sign-in was denied"))
            if published.running_watcher() is None or silent:
                chosen = joining.way(self._world, self._sign_in)
                since, now, needless = self._wish.since, utc_now(), self._good_now
                found = joining.begin(
                    self._world, self._sign_in, chosen, since=since, now=now, needless=needless, ask=ask
                )
                return self._followed(found[0]) if found else self._verdict(0)
            if lineage.unheard:
                return Verdict(
                    1, f"{self._why()}, and no notice can be shown: {plain(lineage.unheard)}; sign in: {self._login}"
                )
            left = self._left()
            if left is not None and left <= 0:
                return self._late(None)
            time.sleep(_LOOK_SECONDS)

    def _followed(self, record: Record) -> Verdict:
        """Wait for a flow's outcome."""
        left = self._left()
        ended = flows.follow(record, None if left is None else max(left, 0), self._tell, self._good)
        if self._good_now():
            return self._verdict(0, (ended.message or "") if ended else "")
        if ended is None:
            return self._late(flows.read(self._name))
        said = plain(ended.message or (ended.outcome or "").replace("_", " "), 400)
        if ended.outcome == UNREACHABLE:
            return Verdict(os.EX_TEMPFAIL, said)
        if ended.outcome == SIGNED_IN:
            said = "signed in, but the token is gone again"
        return Verdict(1, f"{said}; {self._login}")

    # What is said

    def _good_now(self) -> bool:
        """The same as `_good`, whatever was seen before: asked under the start lock."""
        self._seen = ()
        return self._good()

    def _verdict(self, code: int, more: str = "") -> Verdict:
        stands, at = self._look(), self._standing.expires_at
        if stands.token and stands.in_use and not code:
            return Verdict(0, renewed_in_use.said(stands.token, utc_now()))
        return Verdict(code, f"good until {shown(at, utc_now())}{f'; {more}' if more else ''}" if at else more)

    def _late(self, record: Record | None) -> Verdict:
        waits = f"nobody signed in within {durations.text(timedelta(seconds=round(self._wish.seconds or 0, 1)))}"
        if record and not record.outcome and self._wish.terminal:
            return Verdict(1, f"{waits}; the sign-in stays open, and {self._login} joins it")
        return Verdict(1, f"{waits}; {self._login}")

    def _why(self) -> str:
        stands = self._look()
        if stands.fault:
            return f"the token file {plain(stands.fault)}"
        if stands.expires_at is None:
            return "nobody is signed in"
        return f"AWS refused to renew ({plain(stands.refused)})" if stands.refused else "the sign-in has ended"

    @property
    def _login(self) -> str:
        return login_command(self._sign_in)

    def _note(self, change: Callable[[Memory], Memory]) -> None:
        with suppress(files.BusyError, OSError):
            memories.update(self._name, change, _MEMORY_SECONDS)


def _nobody(_: Record) -> None:
    """No person is there to be shown a link or a code."""
