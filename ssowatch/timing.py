"""When a token is renewed (rank 1, pure). The watcher plans by it, and the renewal child asks it again under its lock.

Rules of this file:
1. A token is renewed at min(refresh_before + jitter, half its life) before its end. Half the life is the server's own
   `expiresIn`; the jitter (up to 2 min, drawn once per token from its fingerprint, so that every reader computes the
   same moment) keeps machines apart, and never lets two renewals come closer than half a life: CreateToken calls in
   any window <= 2 + window / (life/2).
2. A token first seen with less is due at once.
3. Never within 60 s of the success that gave the token now in the file, unless it has run out.
4. A refused token is never due again.
5. Once in a sign-in's life a token is renewed earlier, where that tells most about the sign-in's own end (`forecast`).
6. When the clock was set back the token's true end is earlier than the local clock will say: it is due at once. The
   watcher's heartbeat sees the step; a token with more left than its whole life tells of one that nobody saw.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ssowatch.model import Memory, Policy, Renew, Token

_JITTER = timedelta(minutes=2)
_REST = timedelta(seconds=60)
_CLOCK_SLACK = timedelta(seconds=60)


def renewable(token: Token, memory: Memory, now: datetime) -> bool:
    """Whether a renewal may still work without a person."""
    registered = token.registration_expires_at is None or token.registration_expires_at > now
    return token.refreshable and registered and not memory.token.refused


def lead(token: Token, memory: Memory, policy: Policy) -> timedelta:
    """How long before its end the token is renewed."""
    jitter = _JITTER * (int(token.fingerprint[:8] or "0", 16) / 0x1_0000_0000)
    life = memory.token.life or memory.lineage.life
    return min(policy.refresh_before + jitter, life / 2) if life else policy.refresh_before + jitter


def renew_at(token: Token, memory: Memory, policy: Policy, now: datetime) -> datetime | None:
    """When the token is due, which may lie in the past; None when it will not be renewed."""
    if policy.renew is Renew.NEVER or not renewable(token, memory, now):
        return None
    tried = memory.token
    due = token.expires_at - lead(token, memory, policy)
    check_at = memory.lineage.check_at
    if check_at and tried.renewed_at and tried.renewed_at < check_at:
        due = min(due, check_at)
    set_back = tried.life is not None and token.expires_at - now > tried.life + _CLOCK_SLACK
    if token.flaw or set_back or tried.doubted:
        due = now
    if tried.renewed_at and tried.renewed_at <= now:
        due = max(due, min(tried.renewed_at + _REST, token.expires_at))
    if tried.retry_at and tried.attempted_at and tried.attempted_at <= now:
        due = max(due, tried.retry_at)
    return due


def resting(memory: Memory, token: Token, now: datetime) -> bool:
    """Whether a renewal now would come too soon after the last one: within 60 s of a success, within a failure's back-off."""
    tried = memory.token
    if tried.renewed_at and timedelta() <= now - tried.renewed_at < _REST and token.expires_at > now:
        return True
    return bool(tried.retry_at and tried.attempted_at and tried.attempted_at <= now < tried.retry_at)
