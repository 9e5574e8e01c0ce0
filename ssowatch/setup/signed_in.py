"""Which sign-ins a person has to make once (composition; a step of `setup`)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from ssowatch import client, problems, survey
from ssowatch.clock import utc_now
from ssowatch.model import State
from ssowatch.plain import plain
from ssowatch.setup.step import Finding, Mend, NotMendedError

_ASK = {State.SIGNED_OUT, State.LOGIN_REQUIRED}


class SignedIn:
    """Who needs a person now."""

    title = "Signed in"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """One finding per sign-in without a token that works. A tab opens only when asked for, never by `--yes`."""
        for row in survey.look(utc_now()).rows:
            if row.plan.state not in _ASK or row.sign_in.problem:
                continue
            command = problems.login_command(row.sign_in)
            yield Finding(
                f"{plain(row.sign_in.name)}: {row.plan.state.replace('_', ' ')}",
                good=False,
                fix=f"Sign in once:\n  {command}",
                mend=Mend("Sign in now?", partial(_signed_in, row.sign_in.name, command), safe=False),
            )


def _signed_in(name: str, command: str) -> list[str]:
    done = subprocess.run([sys.executable, "-P", "-m", "ssowatch", "login", "--", name], check=False)
    client.ask("look")
    if done.returncode:
        raise NotMendedError("nobody signed in", f"Later:\n  {command}")
    return []
