"""Tokens that whoever uses them renews, and nobody else: what is true of their session (rank 1, pure).

Rules of this file:
1. Nothing on this machine tells when such a session ends, but it has a longest life. So calls work, as far as anybody
   can tell, until that is over, whether or not the token has run out: the next call renews it.
2. A session that was used after its end was not over: it was configured too short, or began before it was seen.
3. What says that it is over before that is a program that could not renew a token which has run out (`doubt`).
4. An end is announced only where somebody was at it within the last hour: a session that lies idle ends in silence, and
   a token that runs out every quarter of an hour is no event.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ssowatch import problems
from ssowatch.model import HOUR, Lineage, Memory, Plan, Policy, SignIn, State, Surroundings, Token
from ssowatch.time_of_day import shown


def latest_end(token: Token, lineage: Lineage, configured: timedelta | None) -> datetime | None:
    """The last moment at which the session may end; None where nobody saw it begin."""
    longest, used_at = token.session, token.used_at
    if lineage.began_at is None or longest is None or used_at is None:
        return None
    end = lineage.began_at + (configured or longest)
    if used_at >= end:
        end = used_at + longest
    return max(end, token.expires_at)


def lives(token: Token, memory: Memory, now: datetime) -> bool:
    """Whether calls work, as far as anybody can tell."""
    if token.session is None or memory.token.refused or memory.lineage.ended_at:
        return False
    end = latest_end(token, memory.lineage, None)
    return end is None or end > now


def situation(
    sign_in: SignIn, token: Token, memory: Memory, policy: Policy, around: Surroundings, now: datetime
) -> Plan:
    """State, times and problem."""
    lineage, refused = memory.lineage, memory.token.refused
    end = latest_end(token, lineage, policy.length)
    over = bool(refused) or (end is not None and end <= now)
    near = end is not None and end - now <= policy.warn_before
    turning_points = (token.expires_at, end, end - policy.warn_before if end else None)
    wanted = around.served or around.held or lineage.asked or lineage.at_end
    return Plan(
        state=State.LOGIN_REQUIRED if over else State.EXPIRING if near else State.VALID,
        memory=memory,
        wake_at=min((at for at in turning_points if at and at > now), default=None),
        problem=problems.session_over(sign_in, end or now, refused) if over else None,
        good_until=token.expires_at if token.expires_at > now and not over else None,
        ends_at=None if refused else end,
        ends_at_source=None if refused or not end else "configured" if policy.length else "assumed",
        unused=not wanted and (lineage.ended_at or now) - (token.used_at or now) > HOUR,
    )


def said(token: Token, now: datetime) -> str:
    """How long calls work, for who asked `ensure`."""
    if token.expires_at > now:
        return f"its credentials are good until {shown(token.expires_at, now)}, and renewed by whoever uses them"
    return f"its credentials ran out {shown(token.expires_at, now)}; the next call renews them, unless the session has ended"


def reach(plan: Plan, now: datetime) -> str:
    """Why nobody can promise more than the token's own end."""
    by = f"; it ends {shown(plan.ends_at, now)} at the latest" if plan.ends_at else ""
    return f"when the session ends is written nowhere{by}"
