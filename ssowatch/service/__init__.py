"""What keeps the watcher running: a file per service manager, one row each in `KINDS` (an edge)."""

from __future__ import annotations

from ssowatch.service.by_hand import ByHand
from ssowatch.service.kind import CannotError, Condition, Service, Standing, program
from ssowatch.service.launchd import LaunchAgent
from ssowatch.service.systemd import UserUnit

__all__ = ["KINDS", "ByHand", "CannotError", "Condition", "Service", "Standing", "here", "program"]

KINDS: tuple[Service, ...] = (UserUnit(), LaunchAgent(), ByHand())
"""Asked in this order; the last is what remains."""


def here() -> Service:
    """The one that this machine has."""
    return next(kind for kind in KINDS if kind.is_here())
