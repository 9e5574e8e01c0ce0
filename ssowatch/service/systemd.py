"""The systemd user unit (an edge). `systemd/ssowatch.service` is what is installed; here it is put in place.

Rules of this file:
1. A masked unit stays masked: somebody said no.
2. A person's own changes belong in a drop-in (`systemctl --user edit ssowatch`), which is left alone; the unit file is ours.
3. All is asked of `systemctl --user`, whose answers are read as `KEY=value` (systemctl(1), `show`), never as prose.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ssowatch import carried, paths
from ssowatch.service.kind import CannotError, Condition, Standing, holds, must, put, run, shown, taken_out

UNIT = "ssowatch.service"
_BOOTED = Path("/run/systemd/system")
"""sd_booted(3): where there is none, `systemctl` is a mere file, as in most containers and in WSL."""
_SYSTEMCTL = ("systemctl", "--user")
_PLACEHOLDER = "%h/.local/bin/ssowatch"
_CONFIG_ERROR = str(os.EX_CONFIG)
_SHOWN = (
    *("LoadState", "ActiveState", "UnitFileState", "MainPID", "StatusText"),
    *("Result", "ExecMainStatus", "FragmentPath", "NRestarts"),
)
_READ_LOG = "See why:\n  ssowatch service logs"
_CHECK = "See where, mend it, and start again:\n  ssowatch config check\n  ssowatch service restart"
_UNMASK = f"Allow it again:\n  systemctl --user unmask {UNIT}"
_INSTALL = "Install it:\n  ssowatch service install"
_RESTART = "Start it:\n  ssowatch service restart"
_ENABLE = f"It does not start with the next log-in. Mend that:\n  systemctl --user enable {UNIT}"


class UserUnit:
    """`systemctl --user`."""

    name = "systemd user unit"

    def is_here(self) -> bool:
        """Whether a user manager answers."""
        return bool(shutil.which("systemctl")) and run(*_SYSTEMCTL, "show", "--property=Version").code == 0

    def install(self, program: str) -> list[str]:
        """Write the unit, enable it, start it."""
        said = []
        before = _show()
        if before.get("LoadState") == "masked" or before.get("UnitFileState", "").startswith("masked"):
            raise CannotError(f"{UNIT} is masked: somebody forbade it", _UNMASK)
        old = program_in(_file())
        changed = put(_file(), filled(program))
        if changed:
            said.append(
                f"wrote {shown(_file())}" + (f" (it started {old} before)" if old not in {None, program} else "")
            )
        must(*_SYSTEMCTL, "daemon-reload", fix=_READ_LOG)
        if before.get("UnitFileState") != "enabled":
            must(*_SYSTEMCTL, "enable", "--quiet", UNIT, fix=_READ_LOG)
            said.append("enabled it: it starts with every log-in")
        if changed or before.get("ActiveState") != "active":
            said += self.restart()
        return said or ["it is in place and runs: nothing to do"]

    def is_current(self, program: str) -> bool:
        """Whether the unit file is ours for this program."""
        return holds(_file(), filled(program))

    def uninstall(self) -> list[str]:
        """Stop it, disable it, remove the file."""
        said = []
        if _show().get("ActiveState") not in {None, "inactive", "failed"}:
            must(*_SYSTEMCTL, "stop", UNIT, fix=_READ_LOG)
            said.append("stopped it")
        run(*_SYSTEMCTL, "disable", "--quiet", UNIT)  # fails where it is not enabled, or has gone
        if os.path.realpath(_file()) != os.devnull and taken_out(_file()):
            said.append(f"removed {shown(_file())}")
        run(*_SYSTEMCTL, "daemon-reload")
        run(*_SYSTEMCTL, "reset-failed", UNIT)
        return said

    def restart(self) -> list[str]:
        """Returns when the first tick is done (`Type=notify`)."""
        known = _show()
        if known.get("LoadState") == "not-found":
            raise CannotError("the service is not installed", _INSTALL)
        run(*_SYSTEMCTL, "reset-failed", UNIT)
        ran = run(*_SYSTEMCTL, "restart", UNIT)
        if ran.code:
            found = self.standing()
            raise CannotError(f"it does not start: {found.lines[0]}", found.fix or _READ_LOG)
        return [f"started it (pid {_show().get('MainPID', '?')})"]

    def standing(self) -> Standing:
        """By `systemctl show`."""
        known = _show()
        if known.get("LoadState", "not-found") == "not-found":
            return Standing(Condition.MISSING, ("not installed",), _INSTALL)
        if known["LoadState"] == "masked":
            return Standing(Condition.MISSING, ("masked: somebody forbade it",), _UNMASK)
        place = f"{shown(known.get('FragmentPath', ''))} starts {program_in(known.get('FragmentPath', '')) or '?'}"
        if known["ActiveState"] == "active":
            says = (f"running (pid {known['MainPID']})", place, known.get("StatusText", ""))
            return Standing(Condition.RUNNING, tuple(filter(None, says)), None if _stays(known) else _ENABLE)
        if known["ActiveState"] in {"activating", "deactivating", "reloading"}:
            again = f", started again {known['NRestarts']} times" if known.get("NRestarts", "0") != "0" else ""
            return Standing(Condition.STOPPED, (f"{known['ActiveState']}{again}: {_why(known)}", place), _READ_LOG)
        if known.get("ExecMainStatus") == _CONFIG_ERROR:
            return Standing(Condition.STOPPED, ("stopped: its config cannot be used", place), _CHECK)
        fix = _READ_LOG if known["ActiveState"] == "failed" else _RESTART
        return Standing(Condition.STOPPED, (f"stopped: {_why(known)}", place), fix)

    def starts(self) -> str | None:
        """The program of `ExecStart`."""
        return program_in(_file())

    def environment(self) -> dict[str, str] | None:
        """The user manager's own, which every unit gets (`show-environment`, whose lines are quoted as a shell's words)."""
        ran = run(*_SYSTEMCTL, "show-environment")
        if ran.code:
            return None
        pairs = (_unquoted(line).partition("=") for line in ran.output.splitlines())
        return {name: value for name, equals, value in pairs if equals}

    def logs(self, *, follow: bool) -> list[str]:
        """Out of the journal."""
        more = ["--follow"] if follow else ["--no-pager"]
        return ["journalctl", f"--user-unit={UNIT}", "--lines=100", "--output=short-iso", *more]


def filled(program: str) -> str:
    """The unit's text for this program."""
    quoted = program.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return carried.read(f"systemd/{UNIT}").decode().replace(f"ExecStart={_PLACEHOLDER}", f'ExecStart="{quoted}"')


def why_not() -> str | None:
    """Why `systemctl --user` does not work although systemd runs; None where it does not run, or works."""
    if not shutil.which("systemctl") or not _BOOTED.is_dir():
        return None
    ran = run(*_SYSTEMCTL, "show", "--property=Version")
    return ran.last if ran.code else None


def _file() -> str:
    return f"{paths.home()}/.config/systemd/user/{UNIT}"


def _show() -> dict[str, str]:
    output = run(*_SYSTEMCTL, "show", UNIT, f"--property={','.join(_SHOWN)}").output
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def program_in(path: str) -> str | None:
    """The program that the unit file at `path` starts, as it is written there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as text:  # noqa: PTH123
            line = next((line for line in text if line.startswith("ExecStart=")), "")
    except OSError:
        return None
    return line.removeprefix("ExecStart=").strip().removesuffix(" run").strip('"').replace("%%", "%") or None


def _unquoted(line: str) -> str:
    """A line of `show-environment`: plain, or `NAME=$'…'` with escapes, of which only the value's absence matters here."""
    name, equals, value = line.partition("=")
    if value.startswith("$'") and value.endswith("'"):
        value = value[2:-1].replace("\\'", "'").replace("\\\\", "\\")
    return f"{name}{equals}{value}"


def _stays(known: dict[str, str]) -> bool:
    return known.get("UnitFileState") in {"enabled", "static", "linked", ""}


def _why(known: dict[str, str]) -> str:
    result, status = known.get("Result", ""), known.get("ExecMainStatus", "0")
    if result in {"success", ""}:
        return "it was not started, or somebody stopped it"
    return f"{result}, exit code {status}" if status != "0" else result
