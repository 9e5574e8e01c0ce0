"""What a step of `setup` is (rank 1): it finds, and what it finds may come with a mend.

Rules of this file:
1. A step looks anew each time and changes nothing but by `Mend.apply`, so setup is safe to repeat.
2. `safe` is what `--yes` takes without a question: it takes nothing away, ends no sign-in, opens nothing.
3. A line that begins with a space is one to copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


class NotMendedError(Exception):
    """The mend failed: why, and in `fix` what to do instead."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Mend:
    """What can be done about a finding."""

    question: str
    apply: Callable[[], list[str]]
    """Does it; returns sentences that say what was done. Raises NotMendedError."""
    diff: tuple[str, ...] = ()
    """What changes in which file, safe to show."""
    safe: bool = True
    usual: bool = True
    """Whether Enter means yes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is so."""

    text: str
    good: bool = True
    fix: str = ""
    """What to do by hand, where there is no mend or it is not wanted."""
    question: str = ""
    """What only a person can tell; a no makes it bad. Not asked by `--yes`."""
    mend: Mend | None = None
    final: bool = False
    """Nothing can be protected before this is mended; the later steps have no ground to stand on."""


class Step(Protocol):
    """One thing that setup looks at."""

    title: str

    def look(self, columns: int) -> Iterator[Finding]:
        """What it finds, one after the other; a later one already sees what an earlier mend has changed."""
