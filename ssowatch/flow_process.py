"""What the detached process of a sign-in does, from its turn to its outcome (composition).

Rules of this file:
1. It always leaves an outcome, whatever happens to it short of `kill -9`: its callers wait for that.
2. It ends cleanly on SIGTERM (`cancelled`), and some time after its own deadline whatever else hangs.
3. Where it was begun because the token was bad (`needed`), a token that became good by another way ends it.
4. A denied or ignored tab is remembered: programs that ask now are told no for a while.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import FrameType

from ssowatch import (
    browser,
    client,
    files,
    flows,
    joining,
    kinds,
    login_command,
    login_text,
    memories,
    memory,
    paths,
    signing_in,
    standing,
    ways,
)
from ssowatch.clock import utc_now
from ssowatch.flow_record import CANCELLED, SUPERSEDED, TIMED_OUT, Stage
from ssowatch.joining import Ask, environment
from ssowatch.mcp import hanging
from ssowatch.model import Memory, SignIn
from ssowatch.outcomes import Outcome, Result, Waiting
from ssowatch.plain import plain
from ssowatch.settings import Login
from ssowatch.undumpable import refuse_dumps
from ssowatch.world import World

SECONDS = 600.0
"""How long a person has, from the moment it is this sign-in's turn."""
_GRACE_SECONDS = 60.0
_QUEUE = timedelta(hours=1)
_MEMORY_SECONDS = 5.0
_OPENING_SECONDS = 0.5
"""Most openers have failed by then, if they fail."""


class _Stopped(BaseException):
    """A signal of `_WORDS`. No Exception: it must pass every `except Exception`."""


_WORDS = {
    signal.SIGTERM: (CANCELLED, "it was cancelled"),
    signal.SIGALRM: (TIMED_OUT, "nobody answered in time"),
    signal.SIGUSR1: (SUPERSEDED, "a person asked for it meanwhile"),
}


@dataclass(frozen=True, slots=True)
class Errand:
    """What the flow was started for."""

    method: str
    opens: bool
    fresh: bool
    ask: Ask
    needed: bool


def run(world: World, sign_in: SignIn, lock: int, errand: Errand) -> int:
    """Be the flow; `lock` is the inherited descriptor of its lock. The exit code is nobody's business: 0, or 2 without a record."""
    refuse_dumps()
    signal.pthread_sigmask(signal.SIG_BLOCK, _WORDS)  # until there is an outcome to end with
    for number in _WORDS:
        signal.signal(number, _stop)
    try:
        own = flows.Own(sign_in.name, lock)
    except flows.NoFlowError:
        return 2
    word, outcome = "", Outcome(Result.FAILED, "it could not begin")
    try:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WORDS)
            outcome = _Flow(world, sign_in, own, errand).run()
        finally:
            _stop_no_more()
    except _Stopped as stopped:
        word, message = _WORDS[stopped.args[0]]
        outcome = Outcome(Result.FAILED, message)
    except OSError as error:
        outcome = Outcome(Result.FAILED, f"{error.filename or 'the sign-in'}: {error.strerror or type(error).__name__}")
    except Exception as error:  # noqa: BLE001 - rule 1; its text may hold anything, so its kind alone is told
        outcome = Outcome(Result.FAILED, f"a fault of ssowatch: {type(error).__name__}")
    finally:
        own.end(word or outcome.result, outcome.message, outcome.who, utc_now())
    client.ask("look")
    return 0


def _stop(number: int, _: FrameType | None) -> None:
    """The first signal ends the flow; a second one must not end that end."""
    _stop_no_more()
    raise _Stopped(number)


def _stop_no_more() -> None:
    for number in _WORDS:
        signal.signal(number, signal.SIG_IGN)


class _Flow:
    def __init__(self, world: World, sign_in: SignIn, own: flows.Own, errand: Errand) -> None:
        self._world = world
        self._sign_in = sign_in
        self._own = own
        self._errand = errand
        self._seen: object = ()
        self._is_good = False

    def run(self) -> Outcome:
        """The outcome, remembered."""
        if self._errand.ask is not Ask.NOTHING:
            from ssowatch import asking_first  # asyncio and the planner, which a typed `login` does without

            answer = asking_first.permission(self._world, self._sign_in, self._errand.ask, self._good)
            if isinstance(answer, Outcome):
                return answer
            self._errand = replace(self._errand, fresh=self._errand.fresh or answer.fresh)
        if self._errand.method == ways.DEVICE and not self._errand.opens:
            return self._signed_in()  # a code that is only shown opens no tab
        queued_until = utc_now() + _QUEUE
        with flows.turn(lambda: self._waits_its_turn(queued_until)) as mine:
            if mine:
                return self._signed_in()
        return self._elsewhere() if self._no_more_needed() else Outcome(Result.TIMED_OUT, "its turn did not come")

    def _waits_its_turn(self, until: datetime) -> bool:
        """Another tab is open."""
        if self._own.record.stage is not Stage.QUEUED:
            self._own.tell(stage=Stage.QUEUED)
        return utc_now() < until and not self._no_more_needed()

    def _signed_in(self) -> Outcome:
        if self._no_more_needed():
            return self._elsewhere()
        self._own.tell(stage=Stage.STARTING)
        signal.setitimer(signal.ITIMER_REAL, SECONDS + _GRACE_SECONDS)
        outcome = self._by_command() if self._errand.method == ways.COMMAND else self._natively()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if outcome.result in {Result.DENIED, Result.TIMED_OUT}:
            if self._no_more_needed():
                return self._elsewhere()
            self._remember(partial(memory.tab_denied, reason=outcome.message, now=utc_now()))
        return outcome

    def _natively(self) -> Outcome:
        port = 0 if self._errand.opens else ways.tunnel_port(os.getuid())
        frozen = [one for one in self._world.servers_of(self._sign_in.name) if hanging.restarts(one)]
        return signing_in.sign_in(
            self._sign_in,
            self._errand.method,
            fresh=self._errand.fresh,
            waiting=self._waits,
            port=port,
            seconds=SECONDS,
            aside=login_text.after(frozen),
        )

    def _waits(self, waiting: Waiting) -> None:
        """A person is needed: open the browser, and tell it. The opener may take seconds, and is not waited for."""
        facts = {"link": waiting.link, "code": waiting.code, "page": waiting.page, "deadline": waiting.deadline}
        if not self._errand.opens:
            self._own.tell(stage=Stage.WAITING, unopened=login_text.NOT_WANTED, **facts)
            return
        complaints: list[str] = []

        def opened() -> None:
            if complaint := browser.open_url(waiting.link, self._login.browser):
                complaints.append(complaint)
                self._own.tell(unopened=complaint)

        opening = threading.Thread(target=opened, daemon=True)
        opening.start()
        opening.join(_OPENING_SECONDS)
        self._own.tell(stage=Stage.WAITING, unopened=next(iter(complaints), None), **facts)

    def _by_command(self) -> Outcome:
        """The user's own program, or that of the kind; what counts is the token it leaves."""
        argv = self._login.command
        program, of_kind = plain(argv[0]), argv == joining.program(self._sign_in)
        if of_kind and not self._errand.opens:
            there = f"{plain(shlex.join(argv))} --remote"
            return Outcome(Result.FAILED, f"there is no browser here; at a terminal, type: {there}")
        began = utc_now()
        self._own.tell(stage=Stage.WAITING, deadline=began + timedelta(seconds=SECONDS))
        before = self._token()
        code, last = login_command.run(argv, environment(self._world), paths.home(), SECONDS)
        if code is None:
            return Outcome(Result.TIMED_OUT, last)
        if code != 0:
            needs = f"; {kinds.of(self._sign_in.name).needs}" if of_kind else ""
            said = f"{program} ended with exit code {code}: {last or 'it said nothing'}{needs}"
            return Outcome(Result.FAILED, said)
        if self._token() == before and not standing.look(self._sign_in, utc_now()).good:
            return Outcome(Result.FAILED, f"{program} ended well but left no new token of this sign-in")
        return Outcome(Result.SIGNED_IN, f"signed in by {program}")

    @property
    def _login(self) -> Login:
        return joining.login(self._world, self._sign_in)

    def _token(self) -> object:
        return files.signature(kinds.token_file(self._sign_in.name))

    def _good(self) -> bool:
        """Whether nobody is needed any more. Read anew when token or memory changed."""
        seen = (self._token(), files.signature(paths.memory_file(self._sign_in.name)))
        if seen != self._seen:
            self._seen = seen
            self._is_good = standing.look(self._sign_in, utc_now()).good
        return self._is_good

    def _no_more_needed(self) -> bool:
        return self._errand.needed and self._good()

    def _elsewhere(self) -> Outcome:
        return Outcome(Result.SIGNED_IN, "signed in by another way meanwhile")

    def _remember(self, change: Callable[[Memory], Memory]) -> None:
        with suppress(files.BusyError, OSError):
            memories.update(self._sign_in.name, change, _MEMORY_SECONDS)
