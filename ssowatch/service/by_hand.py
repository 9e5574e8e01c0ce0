"""No service manager: WSL without systemd, containers, plain shells (an edge). It says the way that works.

| place | the way |
|---|---|
| WSL without systemd | switch systemd on in /etc/wsl.conf |
| a container | ssowatch on the host, with ~/.aws shared; or `ssowatch run` beside the program |
| systemd without a user session (su, sudo, cron) | log in as that user |
| anything else | a line in ~/.profile |
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ssowatch.service import systemd
from ssowatch.service.kind import BY_PROFILE, CannotError, Condition, Standing

_KERNEL = Path("/proc/sys/kernel/osrelease")
_CONTAINERS = ("/run/systemd/container", "/.dockerenv", "/run/.containerenv")

_WSL = """\
Switch systemd on. In /etc/wsl.conf:
  [boot]
  systemd=true
Then, in Windows:
  wsl.exe --shutdown
Open it again and run: ssowatch setup"""
_CONTAINER = """\
Run ssowatch on the host and share the host's ~/.aws with the container. Or start this beside your program:
  ssowatch run"""
_SESSION = "Log in as this user at the screen or by ssh, not by su or sudo, and run: ssowatch setup"


class ByHand:
    """What remains."""

    name = "no service manager"

    def is_here(self) -> bool:
        """Always."""
        return True

    def install(self, program: str) -> list[str]:
        """It cannot be; the error says the way."""
        raise cannot(program)

    def is_current(self, program: str) -> bool:  # noqa: ARG002 - of the Protocol
        """There is no file."""
        return False

    def uninstall(self) -> list[str]:
        """Nothing was installed."""
        return []

    def restart(self) -> list[str]:
        """There is nothing to restart."""
        raise cannot("ssowatch")

    def standing(self) -> Standing:
        """Why there is no service."""
        found = cannot("ssowatch")
        return Standing(Condition.MISSING, (str(found),), found.fix)

    def starts(self) -> str | None:
        """There is no file."""
        return None

    def environment(self) -> dict[str, str] | None:
        """That of the shell it was started in, whichever that was."""
        return None

    def logs(self, *, follow: bool) -> list[str]:  # noqa: ARG002 - of the Protocol
        """Nobody keeps them."""
        raise CannotError("no service manager keeps a log here", "See it live: end the watcher, then:\n  ssowatch run")


def cannot(program: str) -> CannotError:
    """Why no service can be here, with the way that works."""
    profile = BY_PROFILE.format(program=shlex.quote(program))
    if in_wsl():
        return CannotError(
            "this WSL distribution runs without systemd, so no service can be started",
            f"{_WSL}\nUntil then {profile}",
        )
    if "container" in os.environ or any(map(os.path.exists, _CONTAINERS)):
        return CannotError("this is a container without a service manager", f"{_CONTAINER}\nElse {profile}")
    if why := systemd.why_not():
        return CannotError(f"systemd runs no session for this user ({why})", f"{_SESSION}\nElse {profile}")
    return CannotError("neither systemd nor launchd is here", profile[0].upper() + profile[1:])


def in_wsl() -> bool:
    """Whether this is Linux inside Windows."""
    try:
        return "WSL_DISTRO_NAME" in os.environ or "microsoft" in _KERNEL.read_text().lower()
    except OSError:
        return False
