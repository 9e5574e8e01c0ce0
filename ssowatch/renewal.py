"""One renewal of one token, with the rules of the races (composition: token cache, memory, Identity Center).

Rules of this file:
1. The *write lock* is held from the first read to the write, the call included: of two ssowatch processes the second
   finds the work done. No AWS SDK takes a lock, so the file is read again after the call as well.
2. Whatever changed the file meanwhile won, and is *adopted*; our answer is written over it only where it is from the
   same client registration, and lives longer or has lost the refresh token (as SDKs lose one that is not sent anew). A
   file that vanished stays away. That holds to the very moment of the replacement: what it displaces is looked at, and
   put back if it is not what was read last.
3. An attempt is recorded before the call, its result together with the write, under the memory lock: the watcher never
   sees one without the other.
4. A lost answer (the connection broke after sending, or the read timed out) is replayed once, by the same child: under
   a rotating server the new refresh token is in the lost answer, and a server with a grace period gives it again.
5. InvalidGrant on a file that changed is benign: another client renewed first. Unless the portal refuses the other's
   token, too: a service that takes a reused refresh token for theft ends the whole sign-in, and the one in the file
   now is asked about once. On an unchanged file InvalidGrant is final for this token; one ListAccounts call tells
   whether the access token still lives.
6. Room on disk is taken before the call: an answer that cannot be written is a token lost.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from ssowatch import cache, files, kinds, memories, memory, paths, timing, tokenfile
from ssowatch.answers import Answer, Granted, Refusal, Unanswered
from ssowatch.clock import utc_now
from ssowatch.model import Memory, Policy, SignIn, Token
from ssowatch.problems import no_refresh_token, registration_expired
from ssowatch.tokenfile import Contents

_LOCK_SECONDS = 30.0
"""Longer than nearly every renewal; who waits in vain says so and tries again."""
_MEMORY_SECONDS = 5.0
_SECOND_LOOK_SECONDS = 1.0
_REST = timedelta(seconds=60)


class Result(StrEnum):
    """The outcome of a renewal, as `refresh --json` says it."""

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    ADOPTED = "adopted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one renewal; `message` is for a person and holds no secret."""

    name: str
    result: Result
    token_expires_at: datetime | None
    message: str


class Portal(Protocol):
    """What a renewal needs of Identity Center."""

    def renew(self, contents: Contents, now: datetime) -> Answer:
        """CreateToken with the refresh token."""
        ...

    def lives(self, contents: Contents) -> bool | None:
        """Whether the access token is still taken."""
        ...


def identity_center(sign_in: SignIn) -> Portal:
    """The real one. Imported here: only the process that calls pays for boto3, not those that find the work done."""
    from ssowatch.identity_center import IdentityCenter

    return IdentityCenter(sign_in)


def renew(
    sign_in: SignIn,
    policy: Policy,
    *,
    only_due: bool,
    at_least: timedelta | None = None,
    portal: Callable[[SignIn], Portal] = identity_center,
    now: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Renew the token of `sign_in`.

    `only_due`: do it only if the planner's own rule says so under the lock (the watcher's child); else renew whether
    due or not, even after a refusal, but never within 60 s of the last success (a person's `refresh`).
    `at_least`: do it if the token lives shorter than that, was not refused and is not resting after a failure (`ensure`).
    """
    if sign_in.problem:
        return Outcome(sign_in.name, Result.REFUSED, None, sign_in.problem.message)
    if why := kinds.of(sign_in.name).not_renewed:
        return Outcome(sign_in.name, Result.REFUSED, None, why)
    try:
        before = _fingerprint(sign_in)
        with files.locked(paths.write_lock(sign_in.name), _LOCK_SECONDS):
            return _Renewal(sign_in, policy, at_least, portal, now, pause).run(before, only_due=only_due)
    except files.BusyError as error:
        who = f" (pid {error})" if str(error) else ""
        return _came_to_nothing(sign_in, f"another ssowatch process is still at it{who}", now)
    except cache.TokenFileUnreadableError as error:
        return Outcome(sign_in.name, Result.REFUSED, None, f"the token file {error}")
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        return _came_to_nothing(sign_in, f"cannot write{place}: {error.strerror}", now)


def _came_to_nothing(sign_in: SignIn, reason: str, now: Callable[[], datetime]) -> Outcome:
    """Before any call: recorded like every failure, so that `status` says it and the next try waits."""
    with suppress(cache.TokenFileUnreadableError, files.BusyError, OSError):
        if contents := cache.load(sign_in.name):
            token, draw = contents.token, random.random()  # noqa: S311 - jitter
            mark = memory.mark(sign_in, token)
            memories.update(
                sign_in.name,
                lambda known: (
                    memory.failed(known, token, reason, now(), draw, begun=False)
                    if known.token.fingerprint == mark
                    else known
                ),
            )
    return Outcome(sign_in.name, Result.UNREACHABLE, None, reason)


def _fingerprint(sign_in: SignIn) -> str | None:
    with suppress(cache.TokenFileUnreadableError):
        contents = cache.load(sign_in.name)
        return contents.token.fingerprint if contents else None
    return None


def _outdone(other: Token, used: Token, expires_at: datetime) -> bool:
    """Whether an answer for `used`, good until `expires_at`, is better than what another program wrote meanwhile.

    By whole seconds, as the file has them: else a sign-in of the same second would be taken for a shorter one.
    """
    longer = expires_at.replace(microsecond=0) > other.expires_at
    return other.client == used.client and (longer or not other.refreshable)


def _least_skew(skew: timedelta, took: timedelta) -> timedelta:
    """What the clocks differ by at least: a server's date later than the moment before the call may be its duration."""
    return min(skew + max(took, timedelta()), timedelta()) if skew < timedelta() else skew


@dataclass(slots=True)
class _Renewal:
    """The steps under the write lock."""

    sign_in: SignIn
    policy: Policy
    at_least: timedelta | None
    portal: Callable[[SignIn], Portal]
    now: Callable[[], datetime]
    pause: Callable[[float], None]

    def run(self, before: str | None, *, only_due: bool) -> Outcome:
        contents = cache.load_patiently(self.sign_in.name)
        if contents is None:
            return self._outcome(Result.REFUSED, None, "there is no token: sign in first")
        seen = self._observe(contents)
        if early := self._no_call(contents, seen, before, only_due=only_due):
            return early
        draft = cache.reserve(self.sign_in.name)
        try:
            return self._call(contents, draft)
        finally:
            draft.drop()

    def _no_call(self, contents: Contents, seen: Memory, before: str | None, *, only_due: bool) -> Outcome | None:
        """The outcome where nothing is to be called, else None."""
        token, now = contents.token, self.now()
        if self.at_least is not None and seen.token.refused:
            return self._outcome(Result.REFUSED, contents, seen.token.refused)
        if self.at_least is not None:
            idle = token.expires_at - now >= max(self.at_least, timedelta.resolution) or timing.resting(
                seen, token, now
            )
        elif only_due:
            due = timing.renew_at(token, seen, self.policy, now)
            idle = due is None or due > now
        else:
            won = before is not None and token.fingerprint != before
            fresh = seen.token.renewed_at is not None and timedelta() <= now - seen.token.renewed_at < _REST
            idle = (fresh or won) and token.expires_at > now and not seen.token.refused
        if idle and before is not None and token.fingerprint != before:
            return self._outcome(Result.ADOPTED, contents, "another program renewed it meanwhile")
        if idle:
            return self._outcome(Result.NOT_DUE, contents, "it was just renewed" if not only_due else "not due now")
        if not token.refreshable:
            return self._outcome(Result.REFUSED, contents, no_refresh_token(self.sign_in).message)
        if (ended := token.registration_expires_at) and ended <= now:
            return self._outcome(Result.REFUSED, contents, registration_expired(self.sign_in, ended).message)
        return None

    def _call(self, contents: Contents, draft: files.Draft, *, beaten: bool = False) -> Outcome:
        token = contents.token
        self._remember_of(token, lambda known: memory.begun(known, token, self.now(), random.random()))  # noqa: S311
        portal = self.portal(self.sign_in)
        began = self.now()
        answer = portal.renew(contents, began)
        lost = isinstance(answer, Unanswered) and answer.maybe_acted
        if lost:
            began = self.now()
            answer = portal.renew(contents, began)
        if not isinstance(answer, Unanswered):
            answer = replace(answer, skew=_least_skew(answer.skew, self.now() - began))
        match answer:
            case Granted():
                return self._write(contents, answer, began, draft)
            case Refusal():
                return self._refused(contents, answer, portal, draft, lost=lost, beaten=beaten)
            case Unanswered():
                draw = random.random()  # noqa: S311 - jitter
                self._remember_of(token, lambda known: memory.failed(known, token, answer.reason, self.now(), draw))
                return self._outcome(Result.UNREACHABLE, contents, answer.reason)

    def _write(self, used: Contents, answer: Granted, began: datetime, draft: files.Draft) -> Outcome:
        expires_at = began + answer.life  # from before the call: never later than the server's own end
        with ExitStack() as held:
            with suppress(files.BusyError, OSError):  # a stuck memory lock must not cost the token
                held.enter_context(files.locked(paths.memory_lock(self.sign_in.name), _MEMORY_SECONDS))
            while True:
                torn = False
                try:
                    current = cache.load_patiently(self.sign_in.name)
                except cache.TokenFileUnreadableError:
                    current, torn = used, True  # whoever cut it off did not come back; the new token makes it whole
                if current is None:
                    return self._outcome(Result.REFUSED, None, "signed out meanwhile; the new token was not kept")
                if current.token.fingerprint != used.token.fingerprint and not _outdone(
                    current.token, used.token, expires_at
                ):
                    return self._outcome(Result.ADOPTED, current, "another program renewed it meanwhile")
                content, token = tokenfile.renewed(
                    current.document,
                    access_token=answer.access_token,
                    expires_at=expires_at,
                    refresh_token=answer.refresh_token or (None if current.token.refreshable else used.refresh_token),
                )
                if cache.put(draft, content, current.token, or_torn=torn):
                    break
                draft = cache.reserve(self.sign_in.name)
                held.callback(draft.drop)
            with suppress(OSError):  # the token is safe; a lost memory costs one early renewal
                known = memories.load(self.sign_in.name)
                memories.write(
                    self.sign_in.name, memory.renewed(known, self.sign_in, token, answer.life, began, answer.skew)
                )
        minutes = int(answer.life.total_seconds() // 60)
        return Outcome(self.sign_in.name, Result.RENEWED, token.expires_at, f"renewed for {minutes} min")

    def _refused(
        self, used: Contents, answer: Refusal, portal: Portal, draft: files.Draft, *, lost: bool, beaten: bool
    ) -> Outcome:
        self.pause(_SECOND_LOOK_SECONDS)  # the client that won may still be writing
        current = cache.load_patiently(self.sign_in.name)
        if current is None:
            return self._outcome(Result.REFUSED, None, "signed out meanwhile")
        if current.token.fingerprint != used.token.fingerprint:
            self._observe(current)
            if not beaten and current.token.refreshable and portal.lives(current) is False:
                return self._call(current, draft, beaten=True)
            return self._outcome(Result.ADOPTED, current, "another program renewed it first")
        reason = answer.reason + (", after an answer that was lost on the way" if lost else "")
        alive = portal.lives(current)
        self._remember_of(
            current.token,
            lambda known: memory.refused(known, answer.code, reason, self.now(), alive=alive, skew=answer.skew),
        )
        return self._outcome(Result.REFUSED, current, reason)

    def _observe(self, contents: Contents) -> Memory:
        return self._remember(lambda known: memory.observed(known, self.sign_in, contents.token, self.now()))

    def _remember_of(self, token: Token, change: Callable[[Memory], Memory]) -> None:
        """Change the memory of `token`; nothing once the watcher has seen a newer one, which this does not concern."""
        mark = memory.mark(self.sign_in, token)
        self._remember(lambda known: change(known) if known.token.fingerprint == mark else known)

    def _remember(self, change: Callable[[Memory], Memory]) -> Memory:
        return memories.update(self.sign_in.name, change, _MEMORY_SECONDS)

    def _outcome(self, result: Result, contents: Contents | None, message: str) -> Outcome:
        return Outcome(self.sign_in.name, result, contents.token.expires_at if contents else None, message)
