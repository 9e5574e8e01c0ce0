"""Who is asked, and how (rank 1, pure): the modes table.

Rules of this file:
1. A person is asked once per cause and sign-in; hourly renewals do not reset that, a new sign-in does.
2. Signing in again while a sign-in lives does not move its end (AWS: "the CLI reuses the existing session and will
   expire whenever the existing session expires"). So before the end the honest buttons are *Fresh sign-in* and *When
   it ends*; plain *Sign in* is offered where it helps: after a refusal, after the end, or where the token cannot be
   renewed only for lack of a refresh token or a registration, which a sign-in brings.
3. `auto` opens one tab per sign-in, when the renewal was refused or the sign-in has ended, and only with a person
   known to be present. After that tab was denied or ignored it does what `notify` does.
4. At a locked or idle screen nothing is shown or opened; the question waits.

| cause | notify | auto | silent |
|---|---|---|---|
| the end is near, the token good | notice | notice | - |
| renewal refused, the token lives | notice | one tab | - |
| ended | notice | one tab | - |
"""

from __future__ import annotations

from ssowatch.model import Action, Button, Cause, Lineage, Mode, Notice, Policy, Presence, Tab


def ask(cause: Cause, policy: Policy, lineage: Lineage, presence: Presence, *, sign_in_helps: bool) -> Action | None:
    """The notice or tab for `cause`, or None when nobody is to be asked now."""
    if policy.mode is Mode.SILENT:
        return None
    if policy.gate and presence is Presence.AWAY:
        return None
    if policy.mode is Mode.AUTO and cause is not Cause.ENDING and not lineage.tab_failed:
        if lineage.tabs:
            return None  # its tab is open
        if presence is Presence.PRESENT or not policy.gate:
            return Tab(cause)
    if cause in lineage.noticed:
        return None
    if cause is Cause.ENDING and not sign_in_helps:
        return Notice(cause, (Button.FRESH, Button.WHEN_IT_ENDS))
    return Notice(cause, (Button.SIGN_IN, Button.NOT_TODAY))
