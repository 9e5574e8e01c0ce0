"""How the two memories of a sign-in change (rank 1, pure).

Rules of this file:
1. *Token memory* is keyed by the token: attempts, back-off, a refusal. A new token starts it anew.
2. *Lineage memory* is one sign-in of a person through all its renewals. A token that another program wrote belongs to
   the same sign-in while its `clientId` is unchanged and the old token was neither refused, ended nor signed out;
   else it is a new sign-in.
3. An attempt is counted *before* the call it counts, with its back-off, so that a crash repeats nothing.
4. A sign-in that is over leaves a *life*, written together with what ended it; `forecast` learns from those.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ssowatch import forecast
from ssowatch.model import HOUR, Cause, Lineage, Memory, SignIn, Token, TokenMemory
from ssowatch.problems import FRESH

_SHORT_OF_TIME = timedelta(minutes=15)  # botocore starts to renew by itself below this
_CAP = timedelta(seconds=300)
_CAP_SHORT_OF_TIME = timedelta(seconds=30)
_BASE = timedelta(seconds=2)
_COOLDOWN = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
_A_DAY = timedelta(days=1)
_A_WEEK = timedelta(days=7)
_TAIL = timedelta(seconds=30)  # a token that much shorter than usual ends with its sign-in
_SOON = timedelta(minutes=2)  # a token seen that soon after it was given is seen from the beginning
_FLOOR = timedelta(seconds=1)  # full jitter may draw nothing; a hot loop helps nobody
_SECOND_WORD = timedelta(seconds=0.5)  # with the half second that a child takes, a renewal is there within one


def mark(sign_in: SignIn, token: Token) -> str:
    """What a token memory is keyed by: the token, and the region that it is renewed in (a mended region tries again)."""
    return f"{token.fingerprint}@{sign_in.region}"


def observed(memory: Memory, sign_in: SignIn, token: Token | None, now: datetime, *, seen: bool = True) -> Memory:
    """The memory after a look at the token file. `seen=False` (`status` without a watcher) claims no beginning."""
    old, lineage = memory.token, memory.lineage
    if token is None:
        if old.fingerprint and lineage.signed_out_at is None:
            # Who waited for it before is answered by that: silence, until a program asks anew.
            return replace(_over(memory), lineage=replace(lineage, signed_out_at=now, asked=False))
        return memory
    if old.fingerprint == mark(sign_in, token) and lineage.signed_out_at is None:
        return memory
    if old.fingerprint == mark(sign_in, token):  # the very file came back, as after a restored backup
        return replace(memory, lineage=replace(lineage, signed_out_at=None))
    tried = TokenMemory(fingerprint=mark(sign_in, token))
    given_at = _given_at(token, lineage.life, now)
    if _same_sign_in(memory, token):
        unseen = lineage.alive_at is not None and given_at - lineage.alive_at > 2 * (lineage.life or HOUR)
        alive_at = max(lineage.alive_at or given_at, given_at)
        return replace(
            memory, token=tried, lineage=replace(lineage, alive_at=alive_at, late=lineage.late or unseen, tail_at=None)
        )
    if not seen:
        return replace(memory, token=tried, lineage=new_lineage(memory, token, None))
    usual = lineage.life or (None if old.fingerprint else HOUR)
    late = usual is not None and now - _given_at(token, usual, now) > min(_SOON, usual / 10)
    return replace(memory, token=tried, lineage=replace(new_lineage(memory, token, now), late=late))


def _same_sign_in(memory: Memory, token: Token) -> bool:
    return bool(memory.token.fingerprint) and memory.lineage.client == token.client and not _is_over(memory)


def _is_over(memory: Memory) -> bool:
    return bool(memory.token.refused or memory.lineage.ended_at or memory.lineage.signed_out_at)


def _given_at(token: Token, life: timedelta | None, now: datetime) -> datetime:
    """When AWS gave this token, at the latest; by its usual life, which is one hour (boto3 issue 3768)."""
    return min(now, token.expires_at - (life or HOUR))


def new_lineage(memory: Memory, token: Token, now: datetime | None) -> Lineage:
    """A new sign-in; what outlives one is kept: the portal's token life, who it was, and in which one it began."""
    old, ended_for_it = memory.lineage, memory.token.refused_code == FRESH
    return Lineage(
        client=token.client,
        began_at=now,
        life=old.life,
        who=old.who,
        inside=forecast.since(old) if ended_for_it or not _is_over(memory) else None,
        fresh=ended_for_it,
    )


def _over(memory: Memory, dead_at: datetime | None = None) -> Memory:
    """With the life of the sign-in that is over: refused at `dead_at`, or ended before its time."""
    if memory.lineage.began_at is None or memory.lineage.clock_set or _is_over(memory):
        return memory
    life = forecast.life(memory.lineage, dead_at)
    if not forecast.tells(memory.lives, life):
        return memory
    return replace(memory, lives=(*memory.lives, life)[-forecast.KEPT :])


def begun(memory: Memory, token: Token, now: datetime, draw: float) -> Memory:
    """Before a CreateToken call."""
    attempts = memory.token.attempts + 1
    retry_at = now + back_off(attempts, _left(memory, token, now), draw)
    return replace(memory, token=replace(memory.token, attempts=attempts, attempted_at=now, retry_at=retry_at))


def failed(memory: Memory, token: Token, reason: str, now: datetime, draw: float, *, begun: bool = True) -> Memory:
    """After an attempt that came to nothing: the next try, counted from now. `begun`: it was counted before."""
    attempts = max(memory.token.attempts + (not begun), 1)
    retry_at = now + back_off(attempts, _left(memory, token, now), draw)
    began_at = memory.token.attempted_at if begun else now
    after = replace(memory.token, attempts=attempts, attempted_at=began_at, retry_at=retry_at, failure=reason)
    return replace(memory, token=after)


def renewed(memory: Memory, sign_in: SignIn, token: Token, life: timedelta, now: datetime, skew: timedelta) -> Memory:
    """After a success: `token` is the new one, `life` the server's own `expiresIn`, `now` the moment before the call."""
    lineage = _with_life(memory.lineage, life, now)
    return replace(
        memory,
        token=TokenMemory(fingerprint=mark(sign_in, token), life=life, renewed_at=now, skew=skew),
        lineage=replace(lineage, client=token.client, alive_at=max(lineage.alive_at or now, now)),
    )


def _with_life(lineage: Lineage, life: timedelta, now: datetime) -> Lineage:
    """A life shorter than usual tells the end of the sign-in; if one such token ends later than the one before told, the usual life has changed."""
    ends_at = now + life
    moved = lineage.tail_at is not None and ends_at > lineage.tail_at + _TAIL
    if lineage.life is None or life >= lineage.life - min(_TAIL, lineage.life / 10) or moved:
        return replace(lineage, life=life, tail_at=None)
    return replace(lineage, tail_at=ends_at)


def refused(memory: Memory, code: str, reason: str, now: datetime, *, alive: bool | None, skew: timedelta) -> Memory:
    """After AWS refused: final for this token, whoever asks next."""
    after = replace(memory.token, refused=reason, refused_code=code, alive=alive, failure=None, skew=skew)
    return replace(_over(memory, now if code == "ended" else None), token=after)


def nudged(memory: Memory, now: datetime) -> Memory:
    """The network came up or the machine resumed: a waiting retry is due at once, or half a second after the last one began.

    An address comes before the route that makes it useful; the second word must not wait for the back-off of the first.
    """
    token = memory.token
    if token.retry_at is None:
        return memory
    if token.attempted_at and timedelta() <= now - token.attempted_at < _SECOND_WORD:
        return replace(memory, token=replace(token, retry_at=min(token.retry_at, token.attempted_at + _SECOND_WORD)))
    return replace(memory, token=replace(token, attempts=1, retry_at=None))


def doubted(memory: Memory) -> Memory:
    """The clock was set back: the token's end is no longer where the file says."""
    if memory.token.doubted or not memory.token.fingerprint:
        return memory
    return _with(replace(memory, token=replace(memory.token, doubted=True)), clock_set=True)


def signed_in(
    memory: Memory, sign_in: SignIn, token: Token, life: timedelta, now: datetime, skew: timedelta, who: str | None
) -> Memory:
    """After a sign-in of our own, which is a new one whatever the registration it used."""
    begun_anew = _with_life(new_lineage(memory, token, now), life, now)
    return replace(
        memory,
        token=TokenMemory(fingerprint=mark(sign_in, token), life=life, renewed_at=now, skew=skew),
        lineage=replace(begun_anew, who=who or begun_anew.who),
    )


def noticed(memory: Memory, cause: Cause, now: datetime) -> Memory:
    """Before the one notice for `cause`."""
    lineage = memory.lineage
    return _with(memory, noticed=(*lineage.noticed, cause), noticed_at=lineage.noticed_at or now)


def not_come(memory: Memory, cause: Cause) -> Memory:
    """What was announced is still to come, so it may be announced again."""
    lineage = memory.lineage
    ended_at = None if cause is Cause.ENDED else lineage.ended_at
    if cause not in lineage.noticed and ended_at == lineage.ended_at:
        return memory
    still = tuple(one for one in lineage.noticed if one is not cause)
    return _with(memory, ended_at=ended_at, noticed=still, noticed_at=lineage.noticed_at if still else None)


def came(memory: Memory, now: datetime) -> Memory:
    """Somebody is at the screen for the first time today."""
    return _with(memory, came_at=now)


def checked_at(memory: Memory, when: datetime | None) -> Memory:
    """When a renewal more tells of the sign-in's end."""
    return _with(memory, check_at=when)


def offered(memory: Memory, now: datetime) -> Memory:
    """Before a fresh sign-in is offered."""
    return _with(memory, offered_at=now)


def tab_opened(memory: Memory, now: datetime) -> Memory:
    """Before a browser tab that nobody asked for."""
    return _with(memory, tabs=memory.lineage.tabs + 1, tab_at=now)


def tab_denied(memory: Memory, reason: str, now: datetime) -> Memory:
    """A tab was denied or ignored, whoever wanted it: programs that ask now are told so, for a while."""
    return _with(memory, tab_failed=True, denied_at=now, denials=memory.lineage.denials + 1, denial=reason)


def asked(memory: Memory, now: datetime) -> Memory:
    """A program without a terminal waits for this sign-in."""
    return _with(memory, asked=True, used_at=now)


def used(memory: Memory, now: datetime) -> Memory:
    """Somebody asked for this sign-in, so it is not dormant."""
    return _with(memory, used_at=now)


def human_act(memory: Memory) -> Memory:
    """A person pressed a button, typed `login` or came back: what they put off or denied is over."""
    return _with(memory, denied_at=None, denials=0, denial=None, not_before=None)


def back(memory: Memory) -> Memory:
    """A person came back to the screen: the cooldown is over, *Not today* is not."""
    return _with(memory, denied_at=None, denials=0, denial=memory.lineage.denial if memory.lineage.not_before else None)


def when_it_ends(memory: Memory) -> Memory:
    """The person wants to be asked by a tab when the sign-in ends."""
    return _with(memory, at_end=True)


def not_today(memory: Memory, until: datetime) -> Memory:
    """The person does not want to be asked before `until`."""
    return _with(memory, not_before=until, denial="put off until tomorrow by the button Not today")


def withdrawn(memory: Memory, cause: Cause) -> Memory:
    """The notice for `cause` vanished from the screen with its watcher, unanswered: the next one may show it."""
    if cause is Cause.OFFER:
        return _with(memory, offered_at=None)
    return _with(memory, noticed=tuple(one for one in memory.lineage.noticed if one is not cause))


def unheard(memory: Memory, why: str | None) -> Memory:
    """No channel could show the notice; None: one could."""
    return _with(memory, unheard=why)


def cooldown_until(lineage: Lineage) -> datetime | None:
    """Until when programs that ask are told no at once; may lie in the past. None: no cooldown."""
    moments = [lineage.not_before] if lineage.not_before else []
    if lineage.denied_at:
        moments.append(lineage.denied_at + _COOLDOWN[min(max(lineage.denials, 1), len(_COOLDOWN)) - 1])
    return max(moments, default=None)


def dormant(lineage: Lineage, now: datetime, *, served: bool = False) -> bool:
    """Whether nobody seems to care: not used for a week (`served`: MCP servers use it), or a notice ignored for a day."""
    used_at = max((at for at in (lineage.began_at, lineage.used_at) if at), default=None)
    if lineage.noticed_at and now - lineage.noticed_at >= _A_DAY and not (used_at and used_at > lineage.noticed_at):
        return True
    return not served and used_at is not None and now - used_at >= _A_WEEK


def _with(memory: Memory, **changes: Any) -> Memory:  # noqa: ANN401 - fields of Lineage, which replace() checks
    return replace(memory, lineage=replace(memory.lineage, **changes))


def _left(memory: Memory, token: Token, now: datetime) -> timedelta:
    """How long the token still lives; nothing to rely on when the clock was set back under it."""
    left = token.expires_at - now
    set_back = memory.token.doubted or (memory.token.life is not None and left > memory.token.life)
    return timedelta() if set_back else left


def back_off(attempts: int, left: timedelta, draw: float) -> timedelta:
    """How long to wait: full jitter, `draw` in [0, 1) of 2 s, 4 s, 8 s and so on.

    The cap is 30 s while less than 15 minutes of the token are left, else 300 s (AWS Architecture Blog, "Exponential
    Backoff And Jitter"). No wait reaches into the last 15 minutes: one of 5 minutes, begun at 16, would let botocore
    come first although AWS answers again. The attempt itself takes time as well, hence 30 s more.
    """
    cap = max(_CAP_SHORT_OF_TIME, min(_CAP, left - _SHORT_OF_TIME - _CAP_SHORT_OF_TIME))
    longest: timedelta = min(cap, _BASE * 2.0 ** min(attempts - 1, 10))
    return max(_FLOOR, draw * longest)
