"""One sign-in of a person, from nothing to the token written; and its end (composition).

Rules of this file:
1. No lock is held while a person decides. The write lock is taken to end a sign-in and to write a token: a renewal that
   is under way finishes first, and none begins with what is being replaced.
2. Nothing opens before AWS has answered: the client registration is made, or confirmed, first. So no tab opens without
   a network, and none shows an error of which we would learn nothing. A fresh sign-in ends the old one last of all.
3. The token and its memory are written together, and at once; who signed in is found out afterwards.
4. A code is exchanged again when the answer did not come: if it was used meanwhile AWS says so, and nothing is lost that
   was not lost before.
5. A message is for a person; codes, links and tokens are in no message and no `repr`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ssowatch import files, pkce, result_page
from ssowatch.answers import Granted, Pending, Refusal, Registration, Unanswered
from ssowatch.clock import utc_now
from ssowatch.model import SignIn
from ssowatch.outcomes import Outcome, OverError, Result, Waiting
from ssowatch.result_page import Page
from ssowatch.sign_in_steps import Steps
from ssowatch.signing_out import connect, sign_out

if TYPE_CHECKING:
    from ssowatch.authorization import Authorization
    from ssowatch.listener import Callback, Listener

__all__ = ["Outcome", "Result", "Waiting", "sign_in", "sign_out"]

PKCE, DEVICE = "pkce", "device"
_LOOK_SECONDS = 0.5
_SLOWER = 5.0
"""Seconds more between two polls after SlowDown (RFC 8628, 3.5)."""


def sign_in(
    sign_in: SignIn,
    method: str,
    *,
    fresh: bool,
    waiting: Callable[[Waiting], None],
    port: int = 0,
    seconds: float = 600,
    aside: str = "",
    now: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Ask a person to sign in, and write the token.

    Args:
        sign_in: which one.
        method: "pkce" or "device".
        fresh: end the present sign-in first, so that the new one has its full length.
        waiting: called once, when the person is needed.
        port: of the listener (PKCE), for a tunnel; 0 for any.
        seconds: how long the person may take (PKCE); a device code has an end of its own.
        aside: what is left for the person to do once it worked, for the browser's page (PKCE).
        now: the clock.
        pause: waits between two calls.

    """
    if sign_in.problem:
        return Outcome(Result.FAILED, f"{sign_in.problem.message}; {sign_in.problem.fix or 'mend the AWS config'}")
    steps = Steps(sign_in, method, now, pause)
    try:
        return _Asking(steps, waiting, port, seconds, aside).run(fresh=fresh)
    except OverError as over:
        outcome = over.outcome
    except files.BusyError as error:
        outcome = Outcome(Result.FAILED, f"another ssowatch process is at this token and does not end (pid {error})")
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        outcome = Outcome(Result.FAILED, f"cannot write{place}: {error.strerror}")
    return replace(outcome, message=_with(outcome.message, steps.aftermath()))


@dataclass(slots=True)
class _Asking:
    """How the person is asked."""

    steps: Steps
    waiting: Callable[[Waiting], None]
    port: int
    seconds: float
    aside: str

    def run(self, *, fresh: bool) -> Outcome:
        self.steps.make_sure_of_room()
        authorization = connect(self.steps.sign_in)
        registration = self.steps.registration(authorization)
        ask = self._by_browser if self.steps.method == PKCE else self._by_device
        return ask(authorization, registration, fresh=fresh)

    def _by_browser(self, authorization: Authorization, registration: Registration, *, fresh: bool) -> Outcome:
        from ssowatch.listener import Listener  # asyncio, which a device code does without

        verifier, state = pkce.draw(), pkce.draw()
        try:
            listener = Listener(
                lambda redirect: authorization.authorize_url(registration, redirect, state, verifier), state, self.port
            )
        except OSError as error:
            where = f"port {self.port} of 127.0.0.1" if self.port else "127.0.0.1"
            raise OverError(Result.FAILED, f"cannot listen on {where}: {os.strerror(error.errno or 0)}") from None
        with listener:
            if fresh:
                self.steps.end(authorization)
            callback = self._until_back(listener)
            page = result_page.failed(self.steps.sign_in, "ssowatch was stopped before it was done")
            try:
                if callback.code is None:
                    raise _no_code(callback.error)
                code = callback.code
                answer, began = self.steps.patiently(
                    lambda now: authorization.token_by_code(registration, code, verifier, listener.redirect, now)
                )
                done = self.steps.written(authorization, registration, self.steps.good(answer), began)
                asides = tuple(filter(None, (done.warning, self.aside)))
                page = result_page.signed_in(self.steps.sign_in, done.person, done.before, *asides)
            except OverError as over:
                page = self._page(over.outcome)
                raise
            except (files.BusyError, OSError):
                page = result_page.failed(self.steps.sign_in, "the token could not be written")
                raise
            finally:
                listener.show(page)
        return done.outcome

    def _until_back(self, listener: Listener) -> Callback:
        """Let the browser go, and wait for it. By both clocks: one may be moved, the other stops in suspend."""
        deadline, end = self.steps.now() + timedelta(seconds=self.seconds), time.monotonic() + self.seconds
        self.waiting(Waiting(listener.link, None, None, deadline))
        while not (callback := listener.wait(max(0.0, min(_LOOK_SECONDS, end - time.monotonic())))):
            if self.steps.now() >= deadline or time.monotonic() >= end:
                raise OverError(Result.TIMED_OUT, "nobody finished it in the browser in time")
        return callback

    def _page(self, outcome: Outcome) -> Page:
        if outcome.result is Result.DENIED:
            return result_page.denied(self.steps.sign_in, self.steps.aftermath())
        return result_page.failed(self.steps.sign_in, _with(outcome.message, self.steps.aftermath()))

    def _by_device(self, authorization: Authorization, registration: Registration, *, fresh: bool) -> Outcome:
        if fresh:
            self.steps.end(authorization)
        started, _ = self.steps.patiently(lambda now: authorization.start_device(registration, now))
        code = self.steps.good(started)
        end = time.monotonic() + (code.expires_at - self.steps.now()).total_seconds()
        self.waiting(Waiting(code.link, code.user_code, code.page, code.expires_at))
        interval, lost, why = code.interval.total_seconds(), False, ""
        while self.steps.now() < code.expires_at and time.monotonic() < end:
            self.steps.pause(interval)
            began = self.steps.now()
            answer = authorization.token_by_device(registration, code, began)
            match answer:
                case Granted():
                    return self.steps.written(authorization, registration, answer, began).outcome
                case Pending():
                    interval, lost = interval + _SLOWER * answer.slower, False
                case Unanswered():
                    lost, why = True, answer.reason
                case Refusal(code="code") if lost:
                    raise OverError(Result.FAILED, "AWS gave the token, but its answer was lost on the way")
                case Refusal():
                    self.steps.good(answer)
        if lost:
            raise OverError(Result.UNREACHABLE, f"AWS gave no answer until the code ran out: {why}")
        raise OverError(Result.TIMED_OUT, "nobody approved the code in time")


def _no_code(error: str | None) -> OverError:
    if error == "access_denied":
        return OverError(Result.DENIED, "it was denied in the browser")
    return OverError(Result.FAILED, f"the portal sent the browser back with an error ({error})")


def _with(message: str, aftermath: str) -> str:
    return f"{message}; {aftermath}" if aftermath else message
