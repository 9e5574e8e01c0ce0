"""What a kind of service must do, and what all of them need (an edge: it runs the manager's own program).

Rules of this file:
1. Every act is safe to repeat, and returns sentences that say what it did.
2. What cannot be done is a `CannotError` with its mend; nothing is unmasked, enabled or overruled that somebody else
   has set on purpose.
3. The files at the top of the source tree are the whole truth of a service; only what is marked as a placeholder in
   them is filled in.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ssowatch import files, paths

_SECONDS = 120.0
"""A start returns when the first tick is done, which systemd waits 90 s for."""


class CannotError(Exception):
    """It cannot be done here: why, and in `fix` what to do instead. A line of `fix` that begins with a space is to copy."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.fix = fix


class Condition(StrEnum):
    """How a service is."""

    MISSING = "missing"
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a service is, at more length."""

    condition: Condition
    lines: tuple[str, ...]
    """For a person; the first says it all."""
    fix: str | None = None

    @property
    def running(self) -> bool:
        """Whether it does its work now."""
        return self.condition is Condition.RUNNING


class Service(Protocol):
    """A kind of service. Each act raises CannotError where it cannot be done."""

    name: str
    """For a person: `systemd user unit`."""

    def is_here(self) -> bool:
        """Whether this machine has it, usable or not."""

    def install(self, program: str) -> list[str]:
        """Start `program run` now and at every log-in; says what was done. Returns when it runs."""

    def is_current(self, program: str) -> bool:
        """Whether its file is the one that `install` would write."""

    def uninstall(self) -> list[str]:
        """Stop it and leave no file of it; an empty list when there was none."""

    def restart(self) -> list[str]:
        """Stop it and start it, with the file that stands there."""

    def standing(self) -> Standing:
        """How it is; raises nothing."""

    def starts(self) -> str | None:
        """The program that its file names; None where there is no file."""

    def environment(self) -> dict[str, str] | None:
        """What it gives to what it starts; None where nobody can tell."""

    def logs(self, *, follow: bool) -> list[str]:
        """The command that shows what it logged."""


def program() -> str:
    """The full path of the `ssowatch` that a service can start tomorrow.

    Raises:
        CannotError: there is none, or it lies in a cache that is cleared (`uvx`, `pipx run`).

    """
    called = os.path.abspath(sys.argv[0])  # noqa: PTH100 - a link such as ~/.local/bin/ssowatch outlives what it points to
    beside = f"{sysconfig.get_path('scripts')}/ssowatch"
    candidates = [called] if os.path.basename(called) == "ssowatch" else []  # noqa: PTH119
    candidates += [beside, *filter(None, [shutil.which("ssowatch")])]
    found = next((one for one in candidates if os.access(one, os.X_OK) and Path(one).is_file()), None)
    install = "Install it for good, by one of these, then run `ssowatch setup`:\n  pipx install ssowatch\n  uv tool install ssowatch"
    if found is None:
        raise CannotError("the program ssowatch is not found beside its Python", install)
    if {".cache", "Caches"} & set(Path(found).resolve().parts):
        raise CannotError(f"{found} lies in a cache, which is cleared one day", install)
    return found


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program of the manager ended."""

    code: int
    output: str

    @property
    def last(self) -> str:
        """The last line of what it said."""
        return (self.output.strip().splitlines() or [f"exit code {self.code}"])[-1]


def run(*argv: str) -> Ran:
    """Run it, as the user's session would; never raises."""
    environment = {**os.environ, **paths.session_bus(), "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        return Ran(127, f"{argv[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Ran(124, f"{argv[0]} gave no answer within {_SECONDS:.0f} s")
    return Ran(done.returncode, done.stdout.decode(errors="replace"))


def must(*argv: str, fix: str) -> str:
    """What it printed.

    Raises:
        CannotError: it failed.

    """
    ran = run(*argv)
    if ran.code:
        raise CannotError(f"{' '.join(argv[:3])} failed: {ran.last}", fix)
    return ran.output


def put(path: str, text: str) -> bool:
    """Write the service's file; whether that changed anything.

    Raises:
        CannotError: it cannot be written.

    """
    try:
        if files.read(path) == text.encode():
            return False
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, text.encode(), follow=True)
    except (OSError, files.NotReadableError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CannotError(
            f"{shown(path)} cannot be written: {why}", "Make its folder writable for you, then run this again."
        ) from None
    return True


def holds(path: str, text: str) -> bool:
    """Whether the service's file is this."""
    try:
        return files.read(path) == text.encode()
    except files.NotReadableError:
        return False


def taken_out(path: str) -> bool:
    """Remove the service's file; whether there was one.

    Raises:
        CannotError: it cannot be removed.

    """
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CannotError(
            f"{shown(path)} cannot be removed: {error.strerror}", f"Remove it by hand:\n  rm {shlex.quote(path)}"
        ) from None
    return True


def shown(path: str) -> str:
    """A path as a person writes it."""
    home = paths.home()
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


BY_PROFILE = """\
start it with every log-in; add this line to ~/.profile:
  (setsid {program} run </dev/null >/dev/null 2>&1 &)"""
"""The way that works without any service manager: a second one ends at once, so many log-ins are harmless."""
