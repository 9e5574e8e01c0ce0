"""What a sign-in is worth now, asked by commands about one sign-in (composition: token file, memory).

*Good* means that calls work and go on working: the token lives, AWS has not refused to renew it, and the probe has not
found it dead. A refused token that lives *works*: nobody needs to be hurried, but a person is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ssowatch import cache, memories, memory, planner, renewed_in_use, timing
from ssowatch.model import Lineage, Memory, Plan, Policy, SignIn, Surroundings, Token, TokenFile


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer."""

    expires_at: datetime | None
    """Of the token in the file; None where there is none that can be read."""
    works: bool
    refused: str | None
    """Why AWS refused to renew this token."""
    failure: str | None
    """Why the last renewal got no answer."""
    fault: str | None
    """Why the token file cannot be read."""
    memory: Memory
    token: Token | None

    @property
    def lineage(self) -> Lineage:
        """The memory of this sign-in."""
        return self.memory.lineage

    @property
    def good(self) -> bool:
        """Calls work, and nobody needs to do anything."""
        return self.works and self.refused is None

    @property
    def in_use(self) -> bool:
        """The programs that use it renew its token; ssowatch does not."""
        return self.token is not None and self.token.session is not None

    def left(self, now: datetime) -> timedelta:
        """How long calls work for sure."""
        return self.expires_at - now if self.works and self.expires_at else timedelta()

    def rests(self, now: datetime, tried: Memory) -> bool:
        """Whether it does not work, and the renewal that failed, the last one in `tried`, is to be tried again later."""
        same = self.failure is not None and self.memory.token == tried.token
        return not self.works and same and self.token is not None and timing.resting(self.memory, self.token, now)

    def plan(self, sign_in: SignIn, policy: Policy, around: Surroundings, now: datetime) -> Plan:
        """What the planner says of it: how long it will do, above all."""
        known = memory.observed(self.memory, sign_in, self.token, now, seen=False)
        return planner.plan(sign_in, TokenFile(self.token), known, policy, around, now)


def look(sign_in: SignIn, now: datetime) -> Standing:
    """Read token file and memory; nothing is written."""
    try:
        contents, fault = cache.load(sign_in.name), None
    except cache.TokenFileUnreadableError as error:
        contents, fault = None, str(error)
    known = memories.load(sign_in.name)
    if contents is None:
        return Standing(None, works=False, refused=None, failure=None, fault=fault, memory=known, token=None)
    token = contents.token
    tried = known.token if known.token.fingerprint == memory.mark(sign_in, token) else None
    return Standing(
        expires_at=token.expires_at,
        works=(token.expires_at > now and not (tried and tried.alive is False))
        or renewed_in_use.lives(token, memory.observed(known, sign_in, token, now, seen=False), now),
        refused=tried.refused if tried else None,
        failure=tried.failure if tried else None,
        fault=None,
        memory=known,
        token=token,
    )


def asked(sign_in: SignIn, now: datetime, known: Memory) -> Memory:
    """The memory once a program asks for it. A sign-out that nobody has seen comes first: it is what the program meets."""
    try:
        contents = cache.load(sign_in.name)
    except cache.TokenFileUnreadableError:
        return memory.asked(known, now)
    return memory.asked(memory.observed(known, sign_in, contents.token if contents else None, now), now)
