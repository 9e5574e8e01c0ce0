"""Who is asked, and how (rank 1, pure): the modes table.

Rules of this file:
1. A person is asked once per cause and sign-in; hourly renewals do not reset that, a new sign-in does.
2. Signing in again while a sign-in lives does not move its end (AWS: "the CLI reuses the existing session and will
   expire whenever the existing session expires"). So before the end the honest buttons are *Fresh sign-in* and *When
   it ends*; plain *Sign in* is offered where it helps: after a refusal, after the end, or where the token cannot be
   renewed only for lack of a refresh token or a registration, which a sign-in brings.
3. `auto` opens one tab per sign-in, when the renewal was refused or the sign-in has ended, and only with a person
   known to be present. After that tab was denied or ignored it does what `notify` does. *When it ends* asks for the
   same tab at the end, in every mode that speaks.
4. At a locked or idle screen nothing is shown or opened; the question waits. While a person is being asked (a flow is
   alive), in quiet hours, in a pause, after *Not today*, and for a dormant sign-in, nobody is asked at all.

| cause | notify | auto | silent |
|---|---|---|---|
| a fresh sign-in suits now (`offers.py`) | notice | notice | - |
| the end is near, the token good | notice | notice | - |
| renewal refused, the token lives | notice | one tab | - |
| ended, or a program waits for it | notice | one tab | - |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ssowatch import offers
from ssowatch.memory import dormant
from ssowatch.model import Action, Button, Cause, Lineage, Mode, Notice, Policy, Presence, Surroundings, Tab

_START = timedelta(minutes=1)
"""How long a tab may take until its flow is seen alive; after that, one that is not has failed."""


def ask(
    cause: Cause,
    policy: Policy,
    lineage: Lineage,
    around: Surroundings,
    now: datetime,
    *,
    sign_in_helps: bool,
    fresh_helps: bool = True,
) -> Action | None:
    """The notice or tab for `cause`, or None when nobody is to be asked now."""
    if policy.mode is Mode.SILENT or around.signing_in or hushed_until(lineage, around, now):
        return None
    if dormant(lineage, now, served=around.served) and not around.held:
        return None
    gated = policy.when_locked or policy.when_idle
    if not _may_show(policy, around.presence) or (cause is Cause.OFFER and around.presence is None):
        return None
    if cause in lineage.noticed or (cause is Cause.OFFER and offers.offered_today(lineage, around.day)):
        return None
    if wants_tab(cause, policy, lineage):
        if starting(lineage, now):
            return None
        if not lineage.tabs and (not gated or around.presence is Presence.PRESENT):
            return Tab(cause)
    return Notice(cause, _buttons(cause, sign_in_helps=sign_in_helps, fresh_helps=fresh_helps))


def _buttons(cause: Cause, *, sign_in_helps: bool, fresh_helps: bool) -> tuple[Button, ...]:
    """Those that improve the state (rule 2)."""
    if cause is Cause.OFFER or (cause is Cause.ENDING and not sign_in_helps):
        return (Button.FRESH, Button.WHEN_IT_ENDS) if fresh_helps else (Button.WHEN_IT_ENDS,)
    return (Button.SIGN_IN, Button.NOT_TODAY)


def _may_show(policy: Policy, presence: Presence | None) -> bool:
    """Whether the screen is one at which something may appear."""
    if presence is None:
        return not (policy.when_locked or policy.when_idle)
    return not (
        (presence is Presence.LOCKED and policy.when_locked) or (presence is Presence.IDLE and policy.when_idle)
    )


def wants_tab(cause: Cause, policy: Policy, lineage: Lineage) -> bool:
    """Whether a tab may open by itself for this cause."""
    chosen = policy.mode is Mode.AUTO and cause not in {Cause.ENDING, Cause.OFFER}
    return not lineage.tab_failed and (chosen or (lineage.at_end and cause is Cause.ENDED))


def starting(lineage: Lineage, now: datetime) -> bool:
    """Whether a tab was decided on a moment ago, so that its flow may not be seen yet."""
    by = started_by(lineage)
    return by is not None and by - _START <= now < by


def started_by(lineage: Lineage) -> datetime | None:
    """When the flow of the tab that was decided on must be alive."""
    return lineage.tab_at + _START if lineage.tabs and lineage.tab_at else None


def hushed_until(lineage: Lineage, around: Surroundings, now: datetime) -> datetime | None:
    """When a pause, the quiet hours or *Not today* end; None when nothing of that holds now."""
    ends = (around.paused_until, around.quiet_until, lineage.not_before)
    return max((end for end in ends if end and end > now), default=None)
