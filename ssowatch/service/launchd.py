"""The launchd agent of macOS (an edge). `launchd/io.github.ssowatch.plist` is what is installed; here it is put in place.

From launchctl(1) and launchd.plist(5); it was never run on a Mac. Rules of this file:
1. `bootstrap` and `bootout` in the user's own `gui` domain: an agent elsewhere could show no notice.
2. An agent that was switched off by `launchctl disable` stays so: somebody said no.
3. `bootout` returns before the agent is gone, and `bootstrap` fails until then: it is tried again for some seconds.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import time
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from ssowatch import carried, paths
from ssowatch.service.kind import CannotError, Condition, Ran, Standing, holds, must, put, run, shown, taken_out

LABEL = "io.github.ssowatch"
_PROGRAM = "/usr/local/bin/ssowatch"
_LOG = "/Users/YOU/Library/Logs/ssowatch.log"
_READ_LOG = "See why:\n  ssowatch service logs"
_INSTALL = "Install it:\n  ssowatch service install"
_CHECK = "See where, mend it, and start again:\n  ssowatch config check\n  ssowatch service restart"
_TRIES = 20


class LaunchAgent:
    """`launchctl`."""

    name = "launchd agent"

    def is_here(self) -> bool:
        """Whether this is a Mac."""
        return bool(shutil.which("launchctl"))

    def install(self, program: str) -> list[str]:
        """Write the agent and load it."""
        off = run("launchctl", "print-disabled", _domain()).output
        if re.search(rf'"{re.escape(LABEL)}"\s*=>\s*(disabled|true)', off):
            raise CannotError(
                f"{LABEL} is disabled: somebody forbade it", f"Allow it again:\n  launchctl enable {_domain()}/{LABEL}"
            )
        before = self.standing()
        changed = put(_file(), filled(program))
        if before.running and not changed:
            return ["it is in place and runs: nothing to do"]
        said = [f"wrote {shown(_file())}: it starts with every log-in"] if changed else []
        return said + self._load()

    def is_current(self, program: str) -> bool:
        """Whether the agent's file is ours for this program."""
        return holds(_file(), filled(program))

    def uninstall(self) -> list[str]:
        """Unload it, remove the file and its log."""
        said = ["stopped it"] if run("launchctl", "bootout", f"{_domain()}/{LABEL}").code == 0 else []
        said += [f"removed {shown(path)}" for path in (_file(), _log()) if taken_out(path)]
        return said

    def restart(self) -> list[str]:
        """Load it anew, with the file as it stands."""
        if not os.path.exists(_file()):  # noqa: PTH110
            raise CannotError("the service is not installed", _INSTALL)
        return self._load()

    def _load(self) -> list[str]:
        run("launchctl", "bootout", f"{_domain()}/{LABEL}")
        loaded = Ran(1, "")
        for _ in range(_TRIES):
            loaded = run("launchctl", "bootstrap", _domain(), _file())
            if loaded.code == 0:
                break
            time.sleep(0.25)
        if loaded.code:
            raise CannotError(
                f"launchctl bootstrap failed: {loaded.last}",
                "Log in at the Mac's own screen (over ssh there is no gui domain), then:\n  ssowatch service install",
            )
        must("launchctl", "kickstart", f"{_domain()}/{LABEL}", fix=_READ_LOG)
        return ["started it"]

    def standing(self) -> Standing:
        """By `launchctl print`."""
        if not os.path.exists(_file()):  # noqa: PTH110
            return Standing(Condition.MISSING, ("not installed",), _INSTALL)
        ran = run("launchctl", "print", f"{_domain()}/{LABEL}")
        known = dict(re.findall(r"^\s*(state|pid|last exit code) = (.+)$", ran.output, re.MULTILINE))
        if ran.code:
            return Standing(
                Condition.STOPPED,
                ("installed, but not loaded", shown(_file())),
                "Start it:\n  ssowatch service restart",
            )
        if known.get("state") == "running":
            return Standing(Condition.RUNNING, (f"running (pid {known.get('pid', '?')})", shown(_file())))
        if known.get("last exit code", "").startswith(str(os.EX_CONFIG)):
            return Standing(Condition.STOPPED, ("stopped: its config cannot be used", shown(_file())), _CHECK)
        said = f"{known.get('state', 'stopped')}, last exit code {known.get('last exit code', 'unknown')}"
        return Standing(Condition.STOPPED, (said, shown(_file())), _READ_LOG)

    def starts(self) -> str | None:
        """The first of `ProgramArguments`."""
        try:
            with open(_file(), "rb") as file:  # noqa: PTH123
                words = plistlib.load(file)["ProgramArguments"]
            return str(words[0])
        except (OSError, ValueError, LookupError, TypeError, ExpatError):
            return None

    def environment(self) -> dict[str, str] | None:
        """None: launchd says it of one variable at a time only."""
        return None

    def logs(self, *, follow: bool) -> list[str]:
        """The file that launchd writes its stderr to."""
        return ["tail", "-n", "100", *(["-f"] if follow else []), _log()]


def filled(program: str) -> str:
    """The agent's text for this program. launchd expands neither ~ nor variables."""
    text = carried.read(f"launchd/{LABEL}.plist").decode()
    return text.replace(f"<string>{_PROGRAM}</string>", f"<string>{escape(program)}</string>").replace(
        f"<string>{_LOG}</string>", f"<string>{escape(_log())}</string>"
    )


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _file() -> str:
    return f"{paths.home()}/Library/LaunchAgents/{LABEL}.plist"


def _log() -> str:
    return f"{paths.home()}/Library/Logs/ssowatch.log"
