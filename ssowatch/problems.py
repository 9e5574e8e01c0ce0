"""What is wrong, in words that name the place and the mend (rank 1, pure). One function per code.

Rules of this file:
1. A message says what happens and what follows from it; `fix` is what to do, a command where one mends it.
2. Names come from config files and are shown as data, through `plain`.
"""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta

from ssowatch import kinds, paths
from ssowatch.model import Kind, Problem, SignIn, TokenMemory
from ssowatch.plain import plain
from ssowatch.short_names import typed

FRESH = "fresh"
"""The refusal's code where nobody but we ended the sign-in, to have a new one at its full length."""
_REFUSALS = {
    "wrong_region": "check sso_region of {name} in ~/.aws/config",
    "not_allowed": "ask the administrator of {portal} whether your access was taken away, then run: {login}",
}


def login_command(sign_in: SignIn) -> str:
    """The command that signs a person in."""
    return f"ssowatch login {_named(sign_in)}"


def _named(sign_in: SignIn) -> str:
    """The sign-in as a person types it."""
    return shlex.quote(plain(typed(sign_in.kind, sign_in.name, sign_in.profiles)))


def token_file(sign_in: SignIn, fault: str, *, closed: bool) -> Problem:
    """The token file stands there but cannot be read. `closed`: its directory is not ours to write."""
    place = paths.shown(kinds.token_file(sign_in.name))
    if closed:
        folder = paths.shown(kinds.of(sign_in.name).folder())
        mend = f"no sign-in could be written either; what gives {folder} back to you: ssowatch doctor"
        return Problem("token_file", f"{place} {fault}", mend)
    return Problem("token_file", f"{place} {fault}", f"sign in again, which writes it anew: {login_command(sign_in)}")


def signed_out(sign_in: SignIn, at: datetime | None) -> Problem:
    """No token file: it was removed, by `aws sso logout` or by hand, or there never was one (`at` is None)."""
    why = f"the token file was removed (seen {_clock(at)})" if at else "nobody has signed in yet"
    return Problem("signed_out", why, login_command(sign_in))


def refused(sign_in: SignIn, tried: TokenMemory, *, unmoved: bool) -> Problem:
    """AWS refused to renew this token, or a fresh sign-in ended it. `unmoved`: it was fresh, and ended like the one before."""
    if tried.refused_code == FRESH:
        return Problem("refused", f"{tried.refused}; the token is dead", f"sign in: {login_command(sign_in)}")
    lives = {True: "the token still works until it runs out", False: "the token is dead", None: "the token may be dead"}
    fix = _REFUSALS.get(tried.refused_code or "", "sign in again: {login}")
    kept = "; the fresh sign-in did not move the end, which is that of the browser's session at the portal"
    return Problem(
        "refused",
        f"AWS refused to renew: {tried.refused}; {lives[tried.alive]}{kept if unmoved else ''}",
        fix.format(name=plain(sign_in.name), portal=plain(sign_in.start_url), login=login_command(sign_in)),
    )


def no_refresh_token(sign_in: SignIn) -> Problem:
    """Nothing to renew with: a legacy profile, or a device-code sign-in without a scope."""
    if sign_in.kind is Kind.LEGACY:
        return Problem(
            "no_refresh_token",
            "a legacy profile's sign-in cannot be renewed: it has no refresh token",
            f"make it renewable: ssowatch upgrade-profile {_named(sign_in)}; or for now: {login_command(sign_in)}",
        )
    return Problem(
        "no_refresh_token",
        "this sign-in cannot be renewed: there is no refresh token (the login brought none, or a program dropped it)",
        f"sign in again: {login_command(sign_in)}; if it comes back, its [sso-session] lacks a scope: "
        f"ssowatch upgrade-profile {_named(sign_in)}",
    )


def session_over(sign_in: SignIn, at: datetime, refused: str | None) -> Problem:
    """A session whose token only its users renew is over: one of them could not, or it lived its longest life until `at`."""
    why = refused or f"the session is over, since {_clock(at)} at the latest"
    return Problem("session_over", why, f"sign in again: {login_command(sign_in)}")


def registration_expired(sign_in: SignIn, at: datetime) -> Problem:
    """The client registration (about 90 days) has run out; the SDKs do not renew without one either."""
    return Problem(
        "registration_expired",
        f"this sign-in can no longer be renewed: its client registration ended at {_clock(at)}",
        f"sign in again: {login_command(sign_in)}",
    )


def unreachable(tried: TokenMemory) -> Problem:
    """Renewal gets no answer; it is tried again by itself."""
    times = f" ({tried.attempts} tries)" if tried.attempts > 1 else ""
    return Problem("unreachable", f"renewal gets no answer from AWS{times}: {tried.failure}", None)


def never_renewed(sign_in: SignIn, why: str) -> Problem:
    """`renew: never` is set, and a renewal would help."""
    return Problem(
        "renew_never", f"{why}, and renew is set to never", f"ssowatch refresh {shlex.quote(plain(sign_in.name))}"
    )


def clock_skew(skew: timedelta) -> Problem:
    """The machine's clock differs from AWS's, so every local expiry is off by as much."""
    way = "ahead of" if skew > timedelta() else "behind"
    return Problem(
        "clock_skew",
        f"this machine's clock is {abs(int(skew.total_seconds()))} s {way} AWS's",
        "switch on network time (timedatectl set-ntp true)",
    )


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
