"""The kinds of credentials that are watched (rank 1, pure but for the environment that `paths` reads, too).

A kind is a file here and a row of `KINDS`; the contract is `kind.CredentialKind`, and `tests/test_kinds.py` runs over the
tuple. A sign-in's name tells its kind, so no two kinds ever share a token file, a memory or a lock.
"""

from __future__ import annotations

from ssowatch.kinds.identity_center import IdentityCenter
from ssowatch.kinds.kind import CredentialKind
from ssowatch.kinds.login import Login

KINDS: tuple[CredentialKind, ...] = (Login(), IdentityCenter())  # Whoever owns a name first; the last owns every name
SETTINGS = {kind.setting: kind for kind in KINDS if kind.setting}
"""By the profile's setting that names it."""


def of(name: str) -> CredentialKind:
    """The kind of the sign-in called so."""
    return next(kind for kind in KINDS if kind.owns(name))


def token_file(name: str) -> str:
    """Where its token lies."""
    return of(name).token_file(name)


def folders() -> tuple[str, ...]:
    """Where tokens lie."""
    return tuple(kind.folder() for kind in KINDS)
