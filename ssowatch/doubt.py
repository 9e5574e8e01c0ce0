"""A program was told that the token is no good, though the file says that it lives: AWS is asked (composition).

Rules of this file:
1. Nothing is believed but AWS's own answer to ListAccounts; a text that anybody can write costs one such call at most.
2. A token that the portal no longer takes is renewed; where that brings none, it is remembered as dead, so that nobody
   tries it again and the person is asked.
3. A token that its users renew cannot be asked about. Where it has run out, the program that complains could not renew it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from ssowatch import cache, files, memories, memory, renewal
from ssowatch.clock import utc_now
from ssowatch.model import Memory, Policy, SignIn
from ssowatch.renewal import Result


def settle(sign_in: SignIn, policy: Policy) -> None:
    """Ask about the token in the file, if it should live; what is found out is in file and memory."""
    with suppress(cache.TokenFileUnreadableError, files.BusyError, OSError):
        contents = None if sign_in.problem else cache.load(sign_in.name)
        if contents is None:
            return
        if contents.token.session:
            if contents.token.expires_at <= utc_now():
                _remember(sign_in, contents.token.fingerprint, "a program could not renew its credentials")
            return
        if contents.token.expires_at <= utc_now():
            return
        if renewal.identity_center(sign_in).lives(contents) is not False:
            return
        outcome = renewal.renew(sign_in, policy, only_due=False)
        if outcome.result is not Result.UNREACHABLE:
            _remember(sign_in, contents.token.fingerprint)


def _remember(sign_in: SignIn, fingerprint: str, why: str = "the portal no longer takes the token") -> None:
    """That this very token is dead, if it is still the one in the file."""
    contents = cache.load(sign_in.name)
    if contents is None or contents.token.fingerprint != fingerprint:
        return
    token = contents.token

    def dead(known: Memory) -> Memory:
        seen = memory.observed(known, sign_in, token, utc_now())
        reason = seen.token.refused or why
        return memory.refused(
            seen, seen.token.refused_code or "ended", reason, alive=False, skew=timedelta(), now=utc_now()
        )

    memories.update(sign_in.name, dead)
