"""A logind to lock, idle and hang: python-dbusmock on a private system bus, run by the system's own Python.

Debian: dbus, python3-dbusmock, python3-gi. Programs under test find it by `Logind.environ`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from homes import wait_for

PYTHON = "/usr/bin/python3"
MOCK = "org.freedesktop.DBus.Mock"
NAME = "org.freedesktop.login1"
_BUS = """\
<busconfig><type>system</type><listen>unix:path={0}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


def missing() -> str | None:
    """What this machine lacks, or None."""
    for program in ("dbus-daemon", "busctl", PYTHON):
        if not shutil.which(program):
            return f"no {program}"
    found = subprocess.run([PYTHON, "-c", "import dbusmock, gi"], capture_output=True, check=False)
    return None if found.returncode == 0 else "no python3-dbusmock or python3-gi"


class Bus:
    """A private system bus without anything on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environ = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder / 'bus'}"}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _open(self) -> None:
        config = self._folder / "bus.conf"
        config.write_text(_BUS.format(self._folder / "bus"))
        self._start("dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile")
        self._until((self._folder / "bus").exists, "the bus")

    def end(self) -> None:
        """Kill the bus and what is on it."""
        for process in reversed(self._processes):
            process.kill()
            process.wait(30)

    def _start(self, *argv: str) -> subprocess.Popen[bytes]:
        with (self._folder / "bus.log").open("ab") as log:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.environ}
            )
        self._processes.append(process)
        return process

    def _until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for it, as long as everything runs."""

        def so() -> bool:
            ended = [process.args for process in self._processes if process.poll() is not None]
            assert not ended, f"{ended} ended:\n{(self._folder / 'bus.log').read_text()}"
            return true()

        wait_for(so, what)

    def _busctl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["busctl", "--system", "--timeout=60", "--auto-start=no", *words],
            capture_output=True,
            text=True,
            check=check,
            timeout=90,
            env={**os.environ, **self.environ},
        )

    def call(self, path: str, *words: str) -> str:
        """One D-Bus call of the mock; what it answered."""
        return self._busctl("call", NAME, path, MOCK, *words).stdout


class Logind(Bus):
    """The bus with a logind, at first without sessions."""

    def _open(self) -> None:
        super()._open()
        self._mock = self._start(PYTHON, "-m", "dbusmock", "--system", "--template", "logind")
        self._until(self._answers, "logind")

    def _answers(self) -> bool:
        asked = self._busctl("call", NAME, "/org/freedesktop/login1", f"{NAME}.Manager", "ListSessions", check=False)
        return asked.returncode == 0

    def session(
        self, name: str = "c1", *, uid: int | None = None, seat: str = "seat0", **properties: str | bool
    ) -> None:
        """Add a session of ours (a graphical one in front), or of another user."""
        who = str(os.getuid() if uid is None else uid)
        self.call("/org/freedesktop/login1", "AddSession", "ssusb", name, seat, who, f"user{who}", "true")
        self.change(name, **{"Type": "wayland", **properties})

    def change(self, name: str = "c1", **properties: str | bool) -> None:
        """Change a session: `LockedHint=True`, `Type="tty"`."""
        words = []
        for key, value in properties.items():
            words += [key, "b", str(value).lower()] if isinstance(value, bool) else [key, "s", value]
        path = f"/org/freedesktop/login1/session/{name}"
        self.call(path, "UpdateProperties", "sa{sv}", f"{NAME}.Session", str(len(properties)), *words)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Logind neither answers nor dies."""
        self._mock.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._mock.send_signal(signal.SIGCONT)
