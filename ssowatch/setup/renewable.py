"""Legacy profiles and sso-sessions without a scope, made renewable (composition; a step of `setup`).

A scope is added by `--yes`, too: no token file gets another name by it. A legacy profile is moved only when asked: its
sign-in has another token file afterwards, so the person signs in again.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ssowatch import kinds, upgrading
from ssowatch.model import Kind, SignIn
from ssowatch.paths import shown
from ssowatch.plain import plain
from ssowatch.setup.step import Finding, Mend, NotMendedError
from ssowatch.upgrading import NotRewritableError, NotUpgradableError, Proposal
from ssowatch.world import World


class Renewable:
    """What would never be renewed as it stands."""

    title = "Renewal"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """One finding per sign-in that can be made better."""
        before = [one for one in World(recording=False).sign_ins() if not kinds.of(one.name).not_renewed]
        for one in before:
            still = next((now for now in World(recording=False).sign_ins() if now.name == one.name), None)
            if still is not None and not still.problem and (finding := _finding(still)):
                yield finding
        if before and all(_renews(one) for one in World(recording=False).sign_ins()):
            yield Finding("every sign-in can be renewed silently")


def _finding(sign_in: SignIn) -> Finding | None:
    legacy = sign_in.kind is Kind.LEGACY
    why = (
        "a legacy profile: the AWS CLI gives it no token that can be renewed"
        if legacy
        else "its sso-session names no scope, so a sign-in by code brings no token that can be renewed"
    )
    name = shlex.quote(plain(sign_in.profiles[0] if legacy and sign_in.profiles else sign_in.name))
    try:
        proposal = upgrading.propose(sign_in.name)
    except (NotUpgradableError, NotRewritableError) as error:
        if not legacy:
            return None
        return Finding(f"{plain(sign_in.name)}: {why}; {error}", good=False, fix=f"{error.fix}")
    if not proposal.changes:
        return None
    return Finding(
        f"{plain(sign_in.name)}: {why}",
        good=False,
        fix=f"See what would change, and change it:\n  ssowatch upgrade-profile {name}",
        mend=Mend(
            "Write this?",
            lambda: _written(proposal),
            diff=(*proposal.lines, *proposal.links),
            safe=not legacy,
        ),
    )


def _written(proposal: Proposal) -> list[str]:
    try:
        backups = proposal.write()
    except NotRewritableError as error:
        raise NotMendedError(str(error), error.fix) from None
    return [f"written; as it was: {shown(one)} (back with: ssowatch upgrade-profile --undo)" for one in backups]


def _renews(sign_in: SignIn) -> bool:
    return sign_in.kind != Kind.LEGACY and not sign_in.problem
