"""What keeps the watcher running (composition)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ssowatch import service, serving
from ssowatch.doctor.check import Finding, good
from ssowatch.doctor.scene import Scene
from ssowatch.plain import plain
from ssowatch.service import Condition

_RESTART, _INSTALL = "ssowatch service restart", "ssowatch service install"
_SHEBANG = 256  # Linux reads no more of it (BINPRM_BUF_SIZE)


class Program:
    """What the service starts is there."""

    name = "program"

    def look(self, scene: Scene) -> Iterable[Finding]:  # noqa: ARG002 - of the Protocol
        """The program of the service's file, and the Python that it names."""
        path = service.here().starts()
        if path is None:
            yield good("no service names a program")
        elif why := _dead(path):
            yield Finding(
                f"the service starts {path}, {why}: at the next log-in nothing is renewed",
                _INSTALL,
                serving.install,
            )
        else:
            yield good(f"the service starts {path}")


def _dead(path: str) -> str | None:
    if not os.access(path, os.X_OK):
        return "which is not there any more"
    try:
        with open(path, "rb") as program:  # noqa: PTH123
            first = program.read(_SHEBANG).split(b"\n")[0]
    except OSError:
        return None
    interpreter = os.fsdecode(first[2:].strip().split(b" ")[0]) if first.startswith(b"#!") else ""
    if interpreter.startswith("/") and not os.access(interpreter, os.X_OK):
        return f"whose Python {interpreter} is gone (an upgrade of Python?)"
    return None


class Service:
    """A watcher runs, and will run tomorrow."""

    name = "service"

    def look(self, scene: Scene) -> Iterable[Finding]:  # noqa: ARG002 - of the Protocol
        """As `ssowatch service status` says it."""
        kind, found = serving.standing()
        line = plain(found.lines[0], 400)
        said = line if found.condition is Condition.MISSING else f"{kind}: {line}"
        commands = [line.strip() for line in (found.fix or "").splitlines() if line.startswith(" ")]
        fix = commands[0] if len(commands) == 1 else found.fix
        if found.running and not found.fix:
            yield good(said)
        elif found.running:
            yield Finding(f"{said}, but not after the next log-in", fix)
        else:
            may = found.condition is Condition.STOPPED and fix == _RESTART
            yield Finding(f"{said}: nothing is renewed", fix, serving.restart if may else None)
