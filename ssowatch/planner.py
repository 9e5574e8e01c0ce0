"""What is true of a sign-in now, what is to be done, and when to ask again (rank 1, pure). Nothing else decides.

Rules of this file:
1. `plan` is a function of sign-in, token file, memory, policy, surroundings and `now`. Every cause (file event, timer,
   heartbeat, resume, network, a child's end, a request) leads to the same question, so a lost or doubled event is
   harmless.
2. The returned memory already holds what the returned actions will do: recorded first, asking twice acts once. (A
   renewal is recorded by the child that makes it, before its call.)
3. `wake_at` is later than `now`, or None.
4. No action asks a person while a renewal may still work, except for a sign-in's known or forecast end.
5. States are tested in the order of `State`; `problem` is separate and may stand beside any of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ssowatch import forecast, modes, offers, problems, renewed_in_use, timing
from ssowatch.memory import came, checked_at, not_come, noticed, offered, tab_opened
from ssowatch.model import (
    HOUR,
    Action,
    Cause,
    Kind,
    Lineage,
    Memory,
    Notice,
    Plan,
    Policy,
    Presence,
    Problem,
    Renew,
    Renewal,
    SignIn,
    State,
    Surroundings,
    Tab,
    Token,
    TokenFile,
)

_PATIENCE = timedelta(seconds=1)
"""How long an unreadable token file counts as being written (AWS CLI v2 and the JS SDK truncate in place)."""
_SKEW_WORTH_SAYING = timedelta(seconds=60)


def plan(sign_in: SignIn, file: TokenFile, memory: Memory, policy: Policy, around: Surroundings, now: datetime) -> Plan:
    """Decide for one sign-in. `memory` must have observed the token of `file` (see `memory.observed`)."""
    if sign_in.problem:
        return Plan(State.MISCONFIGURED, memory, problem=sign_in.problem)
    if file.fault:
        waited = now - (file.fault_since or now)
        if timedelta() <= waited < _PATIENCE:
            return replace(
                _situation(sign_in, file.token, memory, policy, around, now), wake_at=now + _PATIENCE - waited
            )
        problem = problems.token_file(sign_in, file.fault, closed=file.closed)
        torn = Plan(State.LOGIN_REQUIRED, memory, problem=problem)
        if file.closed:  # nobody is asked: no sign-in could be written
            return torn
        return _with_actions(sign_in, torn, policy, around, now)
    return _with_actions(sign_in, _situation(sign_in, file.token, memory, policy, around, now), policy, around, now)


def _situation(
    sign_in: SignIn, token: Token | None, memory: Memory, policy: Policy, around: Surroundings, now: datetime
) -> Plan:
    """State, times and problem; no actions yet."""
    if token is None:
        return Plan(State.SIGNED_OUT, memory, problem=problems.signed_out(sign_in, memory.lineage.signed_out_at))
    if token.session:
        return renewed_in_use.situation(sign_in, token, memory, policy, around, now)
    renewable = timing.renewable(token, memory, now)
    lives = (*around.lives, *memory.lives)
    if renewable:
        memory = checked_at(memory, forecast.check_at(memory.lineage, lives, around.lives, policy.length))
    due = timing.renew_at(token, memory, policy, now)
    end = forecast.end(memory.lineage, lives, policy.length, now) if renewable else None
    fresh_until = forecast.fresh_until(lives, policy.length, now) if renewable else None
    since = forecast.since(memory.lineage) if fresh_until else memory.lineage.inside or memory.lineage.began_at
    if end and since:  # a sign-in of minutes is not said to end as it begins
        policy = replace(policy, warn_before=min(policy.warn_before, (end.earliest - since) / 2))
    nearest = token.expires_at if not renewable else end.earliest if end else None
    state = _state(token, memory, policy, now, nearest, renewable=renewable)
    silently = renewable and policy.renew is not Renew.NEVER
    by_end = end if silently and state is State.VALID else None
    dead = memory.token.alive is False
    turning_points = (
        due,
        token.expires_at,
        token.expires_at - policy.warn_before,
        *((end.earliest - policy.warn_before, end.latest) if end else ()),
        token.registration_expires_at,
    )
    return Plan(
        state=state,
        memory=memory,
        wake_at=min((moment for moment in turning_points if moment and moment > now), default=None),
        problem=_problem(sign_in, token, memory, policy, now),
        renews_silently=silently,
        renew_at=due,
        good_until=by_end.earliest if by_end else None if dead else token.expires_at,
        good_until_certain=not by_end or by_end.told or by_end.source == "configured",
        ends_from=end.earliest if end else None,
        ends_at=end.latest if end else None,
        ends_at_source=end.source if end else None,
        fresh_until=fresh_until,
    )


def _state(
    token: Token, memory: Memory, policy: Policy, now: datetime, end: datetime | None, *, renewable: bool
) -> State:
    if token.expires_at <= now or memory.token.alive is False:
        return State.UNREACHABLE if renewable else State.LOGIN_REQUIRED
    return State.EXPIRING if end and end - now <= policy.warn_before else State.VALID


def _problem(sign_in: SignIn, token: Token, memory: Memory, policy: Policy, now: datetime) -> Problem | None:
    tried = memory.token
    if tried.refused:
        return problems.refused(sign_in, tried, unmoved=forecast.ended_as_before(memory, policy.length))
    if not token.refreshable:
        return problems.no_refresh_token(sign_in)
    if token.registration_expires_at and token.registration_expires_at <= now:
        return problems.registration_expired(sign_in, token.registration_expires_at)
    if tried.failure:
        return problems.unreachable(tried)
    if policy.renew is Renew.NEVER and (token.flaw or token.expires_at <= now):
        return problems.never_renewed(sign_in, token.flaw or "the token has run out")
    return problems.clock_skew(tried.skew) if abs(tried.skew) > _SKEW_WORTH_SAYING else None


def _with_actions(sign_in: SignIn, decided: Plan, policy: Policy, around: Surroundings, now: datetime) -> Plan:
    """Add what is to be done now, and to the memory what that will have done."""
    due = bool(decided.renew_at and decided.renew_at <= now)
    in_use = policy.renew is not Renew.IN_USE or around.held or around.presence in {Presence.PRESENT, Presence.UNKNOWN}
    actions: list[Action] = [Renewal()] if due and in_use else []
    memory = _with_end(decided, policy, now)
    if offers.first_seen(memory.lineage, around):
        memory = came(memory, now)
    lineage = memory.lineage
    cause = _cause(decided, around, now)
    waits = due and not in_use
    if cause:
        helps = not decided.renews_silently and sign_in.kind is Kind.SSO_SESSION
        ask = partial(
            modes.ask, cause, policy, lineage, now=now, sign_in_helps=helps, fresh_helps=_fresh_helps(sign_in, decided)
        )
        asked = ask(around=around)
        waits = waits or (not asked and ask(around=replace(around, presence=Presence.PRESENT)) is not None)
        match asked:
            case Notice():
                memory = offered(memory, now) if cause is Cause.OFFER else noticed(memory, cause, now)
                actions.append(asked)
            case Tab():
                memory = tab_opened(memory, now)
                actions.append(asked)
    later = (
        decided.wake_at,
        around.day.next_at if around.day and decided.ends_at else None,
        *(_asks_again(lineage, around, now) if cause else ()),
    )
    return replace(
        decided,
        memory=memory,
        actions=tuple(actions),
        cause=cause,
        waits=waits,
        wake_at=min((at for at in later if at and at > now), default=None),
    )


def _asks_again(lineage: Lineage, around: Surroundings, now: datetime) -> tuple[datetime | None, ...]:
    """When something that keeps the question back comes to its end."""
    return modes.hushed_until(lineage, around, now), modes.started_by(lineage)


def _fresh_helps(sign_in: SignIn, decided: Plan) -> bool:
    """Whether to end the sign-in first gives a later end; nobody knows of one that cannot be renewed."""
    if sign_in.kind not in set(Kind):
        return False  # ssowatch cannot end it
    return decided.fresh_until is not None or not decided.renews_silently


def _cause(decided: Plan, around: Surroundings, now: datetime) -> Cause | None:
    """Why a person is to be asked, if at all. A missing token (`signed_out`) is silence until somebody asks."""
    if decided.unused:
        return None
    asked_for = decided.state is State.SIGNED_OUT and decided.memory.lineage.asked
    if decided.state is State.LOGIN_REQUIRED or asked_for:
        return Cause.ENDED
    if decided.state not in {State.VALID, State.EXPIRING}:
        return None
    if decided.memory.token.refused:
        return Cause.REFUSED
    if decided.state is State.EXPIRING:
        return Cause.ENDING
    return Cause.OFFER if decided.renews_silently and offers.due(decided, around, now) else None


def _with_end(decided: Plan, policy: Policy, now: datetime) -> Memory:
    """The memory with the moment the sign-in ended. A clock set back, or a file made whole again, takes it back.

    What was announced and did not come is taken back too, where the end is far again or unknown.
    """
    memory, over = decided.memory, decided.state is State.LOGIN_REQUIRED
    if over and not memory.lineage.ended_at:
        return replace(memory, lineage=replace(memory.lineage, ended_at=now))
    if not over and memory.lineage.ended_at:
        memory = not_come(memory, Cause.ENDED)
    far = decided.ends_from is None or decided.ends_from - now > policy.warn_before + HOUR
    if decided.state is State.VALID and decided.renews_silently and far:
        memory = not_come(memory, Cause.ENDING)
    return memory
