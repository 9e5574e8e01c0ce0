"""What must hold when nobody goes on any more.

Rules of this file:
1. A *breach* is ssowatch's fault. What the service revokes, and what a program without a lock destroys, is a *loss* with
   its name; it must be said by `status`, that is, by the memory after the next renewal.
2. The question is put to the service itself, and by one renewal more, which nobody disturbs.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from interleavings.actors import OURS, SIGN_INS
from ssowatch import cache, memories, memory, renewal, tokenfile
from ssowatch.demo.center.calls import Call, fingerprint
from ssowatch.demo.center.settings import RefreshTokens
from ssowatch.model import Policy
from ssowatch.renewal import Result

if TYPE_CHECKING:
    from interleavings.stage import Stage

LOST_ANSWER = "the answer died with its caller"
REVOKED = "the service took a reuse for theft"
FOREIGN = "written over by a program that knows no lock"
TORN = "cut off by a program that died in the middle"
ENDED = "ended by a sign-out"
WINDOW = "in the one system call between look and replacement, where files cannot be exchanged"
OVERTAKEN = "the AWS CLI's sign-in went into a file that had been replaced while it wrote"
GOOD, SIGNED_OUT = "good", "signed out"


def _is(kinds: tuple[str, ...], who: str) -> bool:
    return who.partition(" #")[0] in kinds


class Oracle:
    """Looks at one end."""

    def __init__(self, stage: Stage, cast: tuple[str, ...]) -> None:
        self._stage, self._cast = stage, cast
        self._events = list(stage.events)
        self._renewals = [call for call in stage.center.calls if self._is_renewal(call)]
        self._policy = stage.center.settings.refresh_tokens
        self.breaches: list[str] = []
        self._window = False

    def _is_renewal(self, call: Call) -> bool:
        known = self._stage.center._state.tokens._refresh
        return call.operation == "CreateToken" and call.token in {fingerprint(text) for text in known}

    def judge(self) -> str:
        """How it ended; `breaches` says what must not be."""
        self._errors()
        self._law()
        self._memory()
        client = self._rewritten()
        verdict = self._verdict()
        contents = _load()
        if verdict == GOOD and contents and client not in {"at first", contents.client_id}:
            verdict = OVERTAKEN
        self._next(verdict)
        return WINDOW if self._window else verdict

    def _breach(self, text: str) -> None:
        self.breaches.append(text)

    def _wrong_place(self, text: str) -> None:
        """Where two files cannot change their names, another program has one system call's time for that."""
        if self._stage.system.here:
            self._breach(text)
        else:
            self._window = True

    def _errors(self) -> None:
        for actor in self._stage.scheduler.actors.values():
            if actor.error is not None:
                self._breach(f"{actor.name} raised {actor.error!r}")
            elif actor.outcome == Result.RENEWED and not any(
                (what, who) == ("write", actor.name) for what, who, _ in self._written()
            ):
                self._breach(f"{actor.name} says renewed, and wrote nothing")
        if self._stage.system.holders:
            self._breach(f"held at the end: {self._stage.system.holders}")

    def _law(self) -> None:
        """CreateToken: one success is enough, and no refresh token is shown twice but where its answer did not arrive."""
        ours = [call for call in self._renewals if _is(OURS, call.user_agent)]
        crashed = {who for what, who, _ in self._events if what == "crash"}
        excused = len(crashed) + sum("lost" in call.faults for call in self._renewals)
        foreign = sum(what == "write" and not _is(OURS, who) for what, who, _ in self._events)
        beaten = any(call.outcome != "ok" for call in ours)
        if sum(call.outcome == "ok" for call in ours) > 1 + excused + foreign + beaten:
            self._breach(f"{len(ours)} calls, where one was enough")
        last: dict[str, Call] = {}
        for call in ours:
            before = last.get(call.token)
            arrived = before and before.outcome == "ok" and not before.faults and before.user_agent not in crashed
            stays = self._policy in {RefreshTokens.SAME, RefreshTokens.NONE}
            if before and arrived and not (stays and foreign):
                self._breach(f"{call.user_agent} used a refresh token that {before.user_agent} had used")
            last[call.token] = call

    def _memory(self) -> None:
        """What is remembered of the token that is there must be true."""
        contents = _load()
        known = memories.load("corp")
        if self._stage.memory_is_damaged():
            self._breach("the memory is damaged")
        if contents is None or known.token.fingerprint != memory.mark(self._stage.corp, contents.token):
            return
        if known.token.refused and self._renews(contents) and not any("lost" in c.faults for c in self._renewals):
            self._breach(f"remembered as refused, and it is good: {known.token.refused}")
        lives = self._takes(contents) and contents.token.expires_at > self._stage.now()
        if known.token.alive is False and lives:
            self._breach("remembered as dead, and it lives")

    def _rewritten(self) -> str | None:
        """A renewal of ours never replaces a sign-in by what came of another one, nor brings a removed file back.

        Returns the registration of the sign-in that the file should be of.
        """
        client: str | None = "at first"
        for what, who, content in self._written():
            if what == "remove":
                client = None
            elif what == "write":
                try:
                    wrote = json.loads(content or b"")["clientId"]
                except ValueError:
                    self._breach(f"{who} wrote what is no token file")
                    continue
                if _is(SIGN_INS, who):
                    client = wrote
                elif client is None and _is(OURS, who):
                    self._wrong_place(f"{who} made a file again that was removed")
                elif client not in {"at first", wrote, None} and _is(OURS, who):
                    self._wrong_place(f"{who} wrote over a new sign-in")
        return client

    def _written(self) -> list[tuple[str, str, bytes | None]]:
        """The events, where an exchange is a writing unless the next one took it back, or its program died over it."""
        found, open_ones = [], Counter({who: 0 for _, who, _ in self._events})
        exchanged = Counter(who for what, who, _ in self._events if what == "exchange")
        crashed = {who for what, who, _ in self._events if what == "crash"}
        for what, who, content in self._events:
            if what != "exchange":
                found.append((what, who, content))
                continue
            open_ones[who] += 1
            if open_ones[who] == exchanged[who] and exchanged[who] % 2 and who not in crashed:
                found.append(("write", who, content))
        return found

    def _verdict(self) -> str:
        if self._stage.token_bytes() is None:
            if not any(what == "remove" for what, _, _ in self._events):
                self._breach("the token file is gone, and nobody removed it")
            return SIGNED_OUT
        contents = _load()
        if contents is None:
            if ("crash", "aws login") not in {(what, who) for what, who, _ in self._events}:
                self._breach("the token file is torn")
            return TORN
        if self._renews(contents):
            if not self._takes(contents):
                self._breach("it can be renewed, and the token in the file is dead")
            return GOOD
        return self._loss(contents)

    def _loss(self, contents: tokenfile.Contents) -> str:
        session = self._session(contents)
        if session is not None and not session.lives(self._stage.now()):
            if session.logged_out:
                return ENDED
            if self._policy is RefreshTokens.REVOKE:
                self._was_reuse_excusable()
                return REVOKED
        if not contents.token.refreshable or any(
            what == "write" and not _is((*OURS, "aws login"), who) for what, who, _ in self._events
        ):
            return FOREIGN
        lost = any("lost" in call.faults for call in self._renewals)
        if lost or any(what == "crash" for what, _, _ in self._events):
            return LOST_ANSWER
        self._breach("the sign-in is lost")
        return "lost"

    def _was_reuse_excusable(self) -> None:
        """Ssowatch alone, all of whose answers arrived, never shows a used token."""
        foreign = any(not _is(OURS, call.user_agent) for call in self._renewals)
        crashed = any(what == "crash" for what, _, _ in self._events)
        if not foreign and not crashed and not any("lost" in call.faults for call in self._renewals):
            self._breach("ssowatch alone made the service revoke the sign-in")

    def _next(self, verdict: str) -> None:
        """One renewal more, undisturbed."""
        stage = self._stage
        outcome = renewal.renew(stage.corp, Policy(), only_due=False, now=stage.now, pause=stage.pause)
        if outcome.result is Result.NOT_DUE and verdict not in {GOOD, OVERTAKEN}:  # a success rests for a minute
            stage.later(61)
            outcome = renewal.renew(stage.corp, Policy(), only_due=False, now=stage.now, pause=stage.pause)
        contents = _load()
        if outcome.result is Result.RENEWED and stage.leftovers():
            self._breach(f"left after the next renewal: {stage.leftovers()}")
        if verdict in {GOOD, OVERTAKEN}:
            if outcome.result not in {Result.RENEWED, Result.NOT_DUE} or contents is None or not self._renews(contents):
                self._breach(f"it was good, and the next renewal says {outcome.result}: {outcome.message}")
        elif verdict in {ENDED, REVOKED, LOST_ANSWER, FOREIGN} and contents is not None:
            told = memories.load("corp").token
            said = bool(told.refused) and told.fingerprint == memory.mark(stage.corp, contents.token)
            if outcome.result is not Result.REFUSED or not (said or not contents.token.refreshable):
                self._breach(f"{verdict}, and the next renewal says {outcome.result}: {outcome.message}")

    # What the service thinks

    def _session(self, contents: tokenfile.Contents) -> Any:
        found = self._stage.center._state.tokens._access.get(contents.access_token)
        return found.session if found else None

    def _takes(self, contents: tokenfile.Contents) -> bool:
        """Whether the access token works; one that has run out does not count as dead."""
        session = self._session(contents)
        return session is not None and session.lives(self._stage.now())

    def _renews(self, contents: tokenfile.Contents) -> bool:
        """Whether the refresh token would be taken."""
        if not contents.token.refreshable:
            return False
        found = self._stage.center._state.tokens._refresh.get(contents.refresh_token)
        if found is None or not found.session.lives(self._stage.now()):
            return False
        return found.consumed_at is None or self._policy is RefreshTokens.GRACE


def _load() -> tokenfile.Contents | None:
    try:
        return cache.load("corp")
    except cache.TokenFileUnreadableError:
        return None
