"""The steps of a sign-in that do not depend on how the person is asked (composition).

Rules of this file:
1. The write lock is taken to end a sign-in and to write a token, never while a person decides.
2. The token and its memory are written together, and at once; who signed in is found out afterwards.
3. A call without an answer is made again: if a code was used meanwhile AWS says so, and nothing is lost that was not
   lost before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from ssowatch import cache, files, memories, memory, paths, registrations, renewal, tokenfile
from ssowatch.answers import Granted, Person, Refusal, Registration, Unanswered
from ssowatch.model import Memory, Policy, SignIn
from ssowatch.outcomes import Outcome, OverError, Result
from ssowatch.problems import FRESH
from ssowatch.signing_out import LOCK_SECONDS, MEMORY_SECONDS, log_out, remember

if TYPE_CHECKING:
    from ssowatch.authorization import Authorization

_AGAIN = (0.5, 2.0, 5.0)
"""Pauses before an unanswered call is made again."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Done:
    """A sign-in that worked."""

    person: Person
    before: str | None
    """Who it was last time, where that was somebody else."""
    lasting: bool
    """It can be renewed."""
    fresh: bool

    @property
    def warning(self) -> str | None:
        """What is not as it should be."""
        return None if self.lasting else "AWS gave no refresh token, so this sign-in cannot be renewed"

    @property
    def outcome(self) -> Outcome:
        """For who waits."""
        said = "signed in afresh" if self.fresh else "signed in"
        said += f" as {self.person.name}" if self.person.name else ""
        said += f" (last time it was {self.before})" if self.before else ""
        return Outcome(Result.SIGNED_IN, said + (f"; {self.warning}" if self.warning else ""), self.person.name)


@dataclass(slots=True)
class Steps:
    """Those of one sign-in."""

    sign_in: SignIn
    method: str
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    ended: bool = False
    """The old sign-in is ended."""

    def make_sure_of_room(self) -> None:
        """Fail now rather than after the person's work, where the token could not be written."""
        cache.make_folder()
        with files.locked(paths.write_lock(self.sign_in.name), LOCK_SECONDS):
            cache.reserve(self.sign_in.name).drop()

    def registration(self, authorization: Authorization) -> Registration:
        """A client registration, kept or new.

        Raises:
            OverError: there is none.

        """
        if kept := registrations.load(self.sign_in, self.method, self.now()):
            known, _ = self.patiently(lambda now: authorization.accepts(kept, self.method, now))
            if known is None:
                return kept
            if isinstance(known, Unanswered):
                self.good(known)
            registrations.drop(self.sign_in, self.method)
        made, _ = self.patiently(lambda now: authorization.register(self.method, now))
        registration = self.good(made)
        registrations.keep(self.sign_in, self.method, registration)
        return registration

    def end(self, authorization: Authorization) -> None:
        """End the present sign-in. A crash before it is remembered costs one renewal that AWS refuses.

        Raises:
            OverError: the portal did not end it.

        """
        self._renew_what_ran_out()
        with files.locked(paths.write_lock(self.sign_in.name), LOCK_SECONDS):
            try:
                contents = cache.load_patiently(self.sign_in.name)
            except cache.TokenFileUnreadableError:
                contents = None
            if contents is None:
                return
            if answer := log_out(authorization, contents.access_token, self.now, self.pause):
                raise OverError(Result.UNREACHABLE, f"the old sign-in could not be ended, and goes on: {answer.reason}")
            self.ended = True

            def remembered(known: Memory) -> Memory:
                seen = memory.observed(known, self.sign_in, contents.token, self.now())
                reason = "the sign-in was ended for a fresh one, which was not finished"
                return memory.refused(seen, FRESH, reason, self.now(), alive=False, skew=known.token.skew)

            remember(self.sign_in, remembered)

    def _renew_what_ran_out(self) -> None:
        """Logout takes a living access token only, and a sign-in outlives many of them."""
        with suppress(cache.TokenFileUnreadableError):
            contents = cache.load_patiently(self.sign_in.name)
            if contents and contents.token.refreshable and contents.token.expires_at <= self.now():
                renewal.renew(self.sign_in, Policy(), only_due=False, now=self.now, pause=self.pause)

    def aftermath(self) -> str:
        """What follows from an end without a token."""
        return "the old sign-in was ended before, so nothing works until somebody signs in" if self.ended else ""

    def patiently(self, ask: Callable[[datetime], _T]) -> tuple[_T, datetime]:
        """The answer, asked for again while there is none, and the moment before the call that gave it."""
        for rest in _AGAIN:
            began = self.now()
            answer = ask(began)
            if not isinstance(answer, Unanswered):
                return answer, began
            self.pause(rest)
        began = self.now()
        return ask(began), began

    def good(self, answer: _T | Refusal | Unanswered) -> _T:
        """The answer, where it is a good one.

        Raises:
            OverError: it is not.

        """
        match answer:
            case Unanswered():
                raise OverError(Result.UNREACHABLE, f"AWS cannot be reached: {answer.reason}")
            case Refusal(code="denied"):
                raise OverError(Result.DENIED, answer.reason)
            case Refusal(code="expired"):
                raise OverError(Result.TIMED_OUT, answer.reason)
            case Refusal(code="registration"):
                registrations.drop(self.sign_in, self.method)
                raise OverError(Result.FAILED, f"{answer.reason}; the next try makes a new one")
            case Refusal():
                raise OverError(Result.FAILED, answer.reason)
        return answer

    def written(
        self, authorization: Authorization, registration: Registration, answer: Granted, began: datetime
    ) -> Done:
        """Write the token, then find out who it is.

        Raises:
            files.BusyError: the write lock stays somebody else's.
            OSError: the token cannot be written.

        """
        content, token = tokenfile.signed_in(
            self.sign_in,
            registration,
            access_token=answer.access_token,
            expires_at=began + answer.life,  # from before the call: never later than the server's own end
            refresh_token=answer.refresh_token,
        )
        name = self.sign_in.name
        with files.locked(paths.write_lock(name), LOCK_SECONDS), ExitStack() as held:
            with suppress(files.BusyError, OSError):  # a stuck memory lock must not cost the token
                held.enter_context(memories.locked(name, MEMORY_SECONDS))
            cache.reserve(name).publish(content)
            known = memories.load(name)
            written = memory.signed_in(known, self.sign_in, token, answer.life, began, answer.skew, None)
            with suppress(OSError):  # the token is safe; a lost memory costs one early renewal
                memories.write(name, written)
        person = authorization.who(answer.access_token)
        if person.name:
            mark = written.token.fingerprint
            remember(
                self.sign_in,
                lambda now: (
                    replace(now, lineage=replace(now.lineage, who=person.name))
                    if now.token.fingerprint == mark
                    else now
                ),
            )
        last = known.lineage.who
        before = last if person.name and last and last != person.name else None
        return Done(person, before, lasting=answer.refresh_token is not None, fresh=self.ended)
