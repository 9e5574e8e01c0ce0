"""An attack as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attacks.scene import BreachError, Scene


@dataclass(frozen=True, slots=True)
class Attack:
    """One row. `act` says what held, or raises `BreachError`; afterwards the oracle judges."""

    part: str
    name: str
    act: Callable[[Scene], str]
    essential: bool = False
    """Runs in CI, too: cheap, and of the kind that would hurt most."""
    root: bool = False
    """Needs another user, whom only root can become."""


def must(held: object, what: str) -> None:
    """Raise BreachError unless it held."""
    if not held:
        raise BreachError(what)
