"""What the wrapper adds to an error, and says while it waits (rank 1, pure)."""

from __future__ import annotations

import os
import shlex

from ssowatch.plain import plain
from ssowatch.wish import Verdict


def advice(name: str, verdict: Verdict) -> str:
    """One line for the agent that reads the error, and through it for the person."""
    why = verdict.message.rstrip(".")
    if verdict.code == os.EX_TEMPFAIL:
        return (
            f"ssowatch: {plain(name)}: {why}. Retrying at once does not help; ask the person whether the network is up."
        )
    if verdict.code in {2, os.EX_CONFIG}:
        return f"ssowatch: {plain(name)}: {why}."
    login = f"ssowatch login {shlex.quote(plain(name))}"
    return (
        f"ssowatch: {plain(name)}: {why}. Do not retry: no call works until a person has signed in. "
        f"Ask them to run `{login}`, wait until they say it is done, and then go on."
    )


def restarted(name: str) -> str:
    """The line under an error that the restart has mended for the next call."""
    return (
        f"ssowatch: the AWS sign-in {plain(name)} is good, but this server kept keys that AWS rejects, so it was restarted. "
        "This call was not repeated, because the tool does not say that it is safe to; check what it did, then call it again."
    )


def waiting(name: str) -> str:
    """For a progress notification."""
    return f"waiting for the AWS sign-in {plain(name)}: a person is asked"
