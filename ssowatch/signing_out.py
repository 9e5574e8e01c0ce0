"""The end of a sign-in: at the portal and here (composition).

Rules of this file:
1. Under the write lock: a renewal that is under way finishes first, and none begins with what is being ended.
2. A person who signs out wants the token gone from this machine: the file is removed whatever the portal says. Of a kind
   that another program signs in to no more is known (`aws logout` does no more, either).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ssowatch import cache, files, kinds, memories, memory, paths
from ssowatch.answers import Refusal, Unanswered
from ssowatch.clock import utc_now
from ssowatch.model import Memory, SignIn
from ssowatch.outcomes import Outcome, OverError, Result

if TYPE_CHECKING:
    from ssowatch.authorization import Authorization

LOCK_SECONDS = 60.0
"""Longer than nearly every renewal."""
MEMORY_SECONDS = 5.0
_REST_SECONDS = 0.5


def sign_out(
    sign_in: SignIn, *, now: Callable[[], datetime] = utc_now, pause: Callable[[float], None] = time.sleep
) -> Outcome:
    """End this one sign-in at the portal, and remove its token file whatever the portal says."""
    try:
        with files.locked(paths.write_lock(sign_in.name), LOCK_SECONDS):
            try:
                contents = cache.load_patiently(sign_in.name)
            except cache.TokenFileUnreadableError as error:
                cache.remove(sign_in.name)
                return Outcome(Result.SIGNED_OUT, f"the token file {error}: it was removed; AWS could not be told")
            if contents is None:
                return Outcome(Result.SIGNED_OUT, "there was no token")
            answer: Refusal | Unanswered | None
            if kinds.of(sign_in.name).not_renewed:
                answer = None
            elif sign_in.problem:
                answer = Refusal("config", sign_in.problem.message, timedelta())
            else:
                answer = log_out(connect(sign_in), contents.access_token, now, pause)
            cache.remove(sign_in.name)
            remember(sign_in, lambda known: memory.observed(known, sign_in, None, now()))
    except OverError as over:
        return over.outcome
    except files.BusyError as error:
        return Outcome(Result.FAILED, f"another ssowatch process is at this token and does not end (pid {error})")
    except OSError as error:
        return Outcome(Result.FAILED, f"cannot remove {error.filename or 'the token file'}: {error.strerror}")
    if answer is None:
        return Outcome(Result.SIGNED_OUT, "signed out; role keys that programs hold work until they run out")
    return Outcome(
        Result.UNREACHABLE,
        f"the token file was removed, but the sign-in itself goes on at AWS until its end: {answer.reason}",
    )


def connect(sign_in: SignIn) -> Authorization:
    """The portal's sign-in service. Imported here: only a process that signs in or out pays for boto3.

    Raises:
        OverError: no client can be made.

    """
    from ssowatch import authorization

    made = authorization.connect(sign_in)
    if isinstance(made, Refusal):
        raise OverError(Result.FAILED, made.reason)
    return made


def log_out(
    authorization: Authorization, access_token: str, now: Callable[[], datetime], pause: Callable[[float], None]
) -> Refusal | Unanswered | None:
    """Logout at the portal. None: the sign-in is over, be it that it was before."""
    answer = authorization.log_out(access_token, now())
    if isinstance(answer, Unanswered):
        pause(_REST_SECONDS)
        answer = authorization.log_out(access_token, now())
    return answer


def remember(sign_in: SignIn, change: Callable[[Memory], Memory]) -> None:
    """Change the memory; one that is stuck or has no room is no reason to stop."""
    with suppress(files.BusyError, OSError):
        memories.update(sign_in.name, change, MEMORY_SECONDS)
