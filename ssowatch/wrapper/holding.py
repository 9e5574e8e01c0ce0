"""One call that is held: a thread of its own, from its arrival or its failure until the client has the answer (composition).

Rules of this file:
1. Before a call goes out, a token that runs out is renewed, silently. Nobody is asked then: the server may have keys
   that last, and calls work on.
2. A call that failed is asked about once: renewed, or by a person. It is sent again at most three times, with pauses,
   because a server may say its old error once more (mcp-proxy-for-aws 1.7.0 does).
3. Whatever does not help ends with the first error, and a line that says what does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from ssowatch.wish import Verdict
from ssowatch.wrapper import messages, readings, steps, words
from ssowatch.wrapper.calls import Call, Calls, Reply
from ssowatch.wrapper.readings import Answer, Reading
from ssowatch.wrapper.restarting import Restarting
from ssowatch.wrapper.sign_in import OurSignIn
from ssowatch.wrapper.steps import Step

_PAUSES = (0.5, 1.0, 2.0)
_FIND_SECONDS = 5.0
_START_SECONDS = 5.0
_RENEW_SECONDS = 20.0
_STDERR_SECONDS, _STDERR_QUIET_SECONDS = 1.0, 0.1
"""What a server writes to its stderr comes on another pipe than its answer: wait until it is quiet."""
_PROGRESS_SECONDS = 5.0
_PROGRESS_STEP = 0.001
"""Small, so that a server's own next figure is larger."""


class Holding:
    """Holds calls. `send` is told to write a call to the server, `tell` to write a line to the client."""

    def __init__(
        self,
        sign_in: OurSignIn,
        calls: Calls,
        restarting: Restarting,
        *,
        send: Callable[[Call], None],
        tell: Callable[[bytes], None],
        stderr: Callable[[int], str],
        repeatable: Mapping[str, bool],
    ) -> None:
        self._sign_in = sign_in
        self._calls = calls
        self._restarting = restarting
        self._send = send
        self._tell = tell
        self._stderr = stderr
        self._repeatable = repeatable

    def hold(self, call: Call, reply: Reply | None) -> None:
        """From before it is sent (None), or from its first answer."""
        first = reply
        try:
            if reply is None:
                self.prepare(call)
                first = reply = self._asked(call)
            line = self._settled(call, reply) if reply else None
        except Exception:  # noqa: BLE001 - a mistake of ours must not cost an answer
            line = first[0] if first else None
        if self._calls.finished(call) and line is not None:
            self._tell(line)

    def prepare(self, call: Call) -> None:
        """Renew what runs out, before the call is sent."""
        starts = call.method in messages.STARTS
        self._sign_in.found.wait(_FIND_SECONDS)
        if self._sign_in.found.is_set() and self._sign_in.due():
            seconds = _START_SECONDS if starts else _RENEW_SECONDS
            self._sign_in.renew(min(time.monotonic() + seconds, call.deadline), call.over.is_set)

    def needs_it(self, call: Call, reply: Reply) -> bool:
        """Whether this answer may have to be held: a quick look, on the way of every answer."""
        return self._read(call, reply).reading is not Reading.GOOD

    def _asked(self, call: Call) -> Reply | None:
        """Send it and wait for the answer; None: it is over."""
        if call.over.is_set() or call.inbox is None:
            return None
        self._send(call)
        return call.inbox.get()

    def _read(self, call: Call, reply: Reply) -> Answer:
        answer = readings.read(reply[1])
        if call.method in messages.STARTS:
            bad = "error" in reply[1] and not call.worked and answer.reading is not Reading.KEYS
            return Answer(Reading.MASKED if bad else Reading.GOOD, failed=True)
        return answer

    def _unmasked(self, call: Call, answer: Answer) -> Answer:
        if answer.reading is not Reading.MASKED or call.method in messages.STARTS:
            return answer
        until, said = time.monotonic() + _STDERR_SECONDS, None
        while (now := self._stderr(call.said)) != said and time.monotonic() < until:
            said = now
            call.over.wait(_STDERR_QUIET_SECONDS)
        return Answer(readings.unmasked(now), failed=True)

    def _settled(self, call: Call, reply: Reply) -> bytes | None:
        """The line that the client gets at last; None: none."""
        first, asked = reply, False
        self._sign_in.found.wait(max(call.deadline - time.monotonic(), 0.0))  # a busy machine searches long
        for pause in (*_PAUSES, None):
            answer = self._unmasked(call, self._read(call, reply))
            step = self._step(call, answer)
            if step is Step.PASS:
                return reply[0]
            if step is Step.RESTART:
                return self._restarted(call, reply)
            if step is Step.ENSURE or (step is Step.DOUBT and not asked):
                line = first[0] if asked else self._ensured(call, first, answer, doubted=step is Step.DOUBT)
                if line is not None:
                    return line
                asked = True
            if pause is None or call.over.wait(pause):
                break
            call.repeated = True
            again = self._asked(call)
            if again is None:
                break
            reply = again
        return first[0]

    def _step(self, call: Call, answer: Answer) -> Step:
        if self._sign_in.name is None:
            return Step.PASS
        token = self._sign_in.token()
        same = (token.fingerprint if token else None) == call.fingerprint
        return steps.next_step(answer, worked=call.worked, works=self._sign_in.works(token), same=same)

    def _ensured(self, call: Call, first: Reply, answer: Answer, *, doubted: bool) -> bytes | None:
        """Renew, or ask a person; None: it works now. Else the line that the client gets."""
        login = call.deadline - time.monotonic() >= 1
        until = call.deadline if login else time.monotonic() + _RENEW_SECONDS
        verdict = self._sign_in.ensure(
            until, lambda: self._progress(call), call.over.is_set, login=login, doubted=doubted
        )
        if call.over.is_set():
            return first[0]
        verdict = verdict or Verdict(1, "nobody has signed in yet")
        if verdict.code:
            return messages.with_line(first[1], words.advice(self._sign_in.name or "", verdict))
        token = self._sign_in.token()
        quoted = not answer.failed and token is not None and token.fingerprint == call.fingerprint
        return first[0] if quoted and doubted else None

    def _restarted(self, call: Call, reply: Reply) -> bytes | None:
        """The answer of a new server, if the sign-in is good by AWS's own word and the tool may be called again."""
        name = self._sign_in.name or ""
        until = time.monotonic() + _RENEW_SECONDS
        verdict = self._sign_in.ensure(until, lambda: None, call.over.is_set, login=False, doubted=True)
        if verdict is None or verdict.code:
            if verdict and verdict.code != os.EX_TEMPFAIL:
                return messages.with_line(reply[1], words.advice(name, verdict))
            return reply[0]
        if not self._restarting.restart(call):
            return reply[0]
        if not self._repeatable.get(messages.tool(call.body) or ""):
            return messages.with_line(reply[1], words.restarted(name))
        call.repeated = True
        again = self._asked(call)
        return again[0] if again else reply[0]

    def _progress(self, call: Call) -> None:
        """Tell the client that things go on, if it asked for that."""
        token, now = messages.progress_token(call.body), time.monotonic()
        if token is None or call.over.is_set() or now - call.told_at < _PROGRESS_SECONDS:
            return
        call.told_at, call.progress, call.ours = now, call.progress + _PROGRESS_STEP, True
        self._tell(messages.progress(token, call.progress, words.waiting(self._sign_in.name or "")))
