"""What a sign-in is called where its whole name is too long, and what is typed for it (rank 1, pure; standard library).

An sso-session has a short name. That of any other sign-in is an address: a legacy profile's start URL, an ARN.
"""

from __future__ import annotations

from collections.abc import Sequence

from ssowatch.plain import plain

_SHORT = "sso-session"


def called(kind: str, name: str, width: int) -> str:
    """Its name, or the telling part of its address: a portal's host, an ARN's user."""
    if kind != _SHORT:
        address = name.partition("://")[2]
        name = address.split("/")[0] if address else name.rstrip("/").rpartition("/")[2].rpartition(":")[2] or name
    return plain(name, width)


def typed(kind: str, name: str, profiles: Sequence[str]) -> str:
    """What the command line takes for it: its name, or one of its profiles."""
    return name if kind == _SHORT or not profiles else profiles[0]
