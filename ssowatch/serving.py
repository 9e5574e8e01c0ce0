"""The service, put in and taken out, whoever kept a watcher before (composition).

Rules of this file:
1. One watcher per home: one that was started by hand is ended first, else the service would end at once, because one
   runs already. It is known by the lock that it holds, so no other process is ever meant.
2. A service of root, installed by `sudo`, would watch root's sign-ins: it is refused.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from ssowatch import published, service
from ssowatch.service import CannotError, Condition, Standing

_SECONDS = 20.0
_LOOK_EVERY = 0.05


def install() -> list[str]:
    """Install and start the service of this machine; what was done.

    Raises:
        CannotError: why not, and what works instead.

    """
    possible()
    kind = service.here()
    said = [] if kind.standing().running else end_watcher()
    said += kind.install(service.program())
    if not _wait(lambda: published.running_watcher() is not None):
        found = kind.standing()
        raise CannotError(f"it was started, but no watcher runs: {found.lines[0]}", "See why:\n  ssowatch service logs")
    return [f"{kind.name}: {line}" for line in said]


def uninstall() -> list[str]:
    """Stop the service and leave no file of it; a watcher that was started by hand stays.

    Raises:
        CannotError: why not.

    """
    return [f"{kind.name}: {line}" for kind in service.KINDS if kind.is_here() for line in kind.uninstall()]


def restart() -> list[str]:
    """Stop it and start it.

    Raises:
        CannotError: why not.

    """
    kind = service.here()
    return [f"{kind.name}: {line}" for line in kind.restart()]


def standing() -> tuple[str, Standing]:
    """The kind of service here, and how it is. A watcher that was started by hand counts as running."""
    kind = service.here()
    found = kind.standing()
    pid = published.running_watcher()
    if found.running or pid is None:
        return kind.name, found
    line = f"a watcher runs without the service (pid {pid}), started by hand or by ~/.profile"
    return kind.name, Standing(Condition.RUNNING, (line, *found.lines))


def end_watcher() -> list[str]:
    """End the watcher that holds the lock, if one does.

    Raises:
        CannotError: it does not end.

    """
    pid = published.running_watcher()
    if pid is None:
        return []
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return []
    if not _wait(lambda: published.running_watcher() != pid):
        raise CannotError(f"the watcher (pid {pid}) does not end", f"End it:\n  kill -9 {pid}")
    return [f"ended the watcher that ran without the service (pid {pid})"]


def possible() -> None:
    """Return if a service can be installed here.

    Raises:
        CannotError: why not, and what works instead.

    """
    user = os.environ.get("SUDO_USER")
    if os.geteuid() == 0 and user and user != "root":
        raise CannotError(
            "this is root, by sudo: it would watch root's sign-ins, not yours", "Run it as yourself, without sudo."
        )
    program = service.program()
    if isinstance(kind := service.here(), service.ByHand):
        kind.install(program)


def _wait(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not true():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY)
    return True
