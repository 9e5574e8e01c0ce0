"""Patterns of `clients` -> files that are there (an edge: the directory tree of the user's home).

Rules of this file:
1. Folders are walked at most 10 deep and 2,000 at a time; links to folders are not followed, and neither are
   `node_modules`, `.git` and `marketplaces`, where plugins are only on offer.
2. What cannot be looked into is not there.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DEEPEST = 10
_MOST_FOLDERS = 2000
_MOST_FILES = 500  # of one pattern with a wildcard
_SKIPPED = {"node_modules", ".git", "marketplaces"}


@dataclass(frozen=True, slots=True)
class Where:
    """What the variables of a pattern stand for."""

    home: str
    environ: Mapping[str, str]
    system: str = ""
    """Before paths that begin with `/`: empty but in tests."""

    @property
    def apps(self) -> str:
        """Where programs keep their data."""
        return f"{self.home}/Library/Application Support" if sys.platform == "darwin" else f"{self.home}/.config"

    def path(self, pattern: str, folder: str = "") -> str | None:
        """The pattern with its variables put in; None if one is not set. `folder`: the project or plugin."""
        first, slash, rest = pattern.partition("/")
        if first.startswith("$"):
            value = self.environ.get(first[1:], "")
            return f"{value.rstrip('/')}{slash}{rest}" if value.startswith("/") else None
        start = {"~": self.home, "<apps>": self.apps, "<project>": folder, "<plugin>": folder, "": self.system}[first]
        return f"{start}{slash}{rest}"

    def base(self, pattern: str, folder: str = "") -> str | None:
        """The folder below which a pattern with wildcards is looked for; None without one.

        The wildcards are the pattern's alone: a folder's own name may hold any character.
        """
        before, wild, _ = pattern.partition("*")
        return self.path(before.rpartition("/")[0], folder) if wild else None

    def files(self, pattern: str, folder: str = "") -> Iterator[str]:
        """The files that match; without a wildcard the one path, whether it is there or not."""
        path = self.path(pattern, folder)
        if path is None:
            return
        base = self.base(pattern, folder)
        if base is None:
            yield path
            return
        steps = pattern[pattern.partition("*")[0].rindex("/") + 1 :].split("/")
        for count, found in enumerate(_matching(base, steps)):
            if count >= _MOST_FILES:
                return
            yield found


def _matching(base: str, steps: list[str]) -> Iterator[str]:
    step, rest = steps[0], steps[1:]
    if step == "**":
        for folder in _folders(base):
            yield from _matching(folder, rest)
    elif "*" in step:
        for name in sorted(_names(base)):
            if fnmatch.fnmatchcase(name, step):
                yield from _matching(f"{base}/{name}", rest) if rest else [f"{base}/{name}"]
    elif rest:
        yield from _matching(f"{base}/{step}", rest)
    elif os.path.exists(f"{base}/{step}"):  # noqa: PTH110
        yield f"{base}/{step}"


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [entry.name for entry in found]
    except OSError:
        return []


def _folders(base: str) -> Iterator[str]:
    """The folder and those below it."""
    waiting = [(base, 0)]
    for count, (folder, depth) in enumerate(waiting):
        if count >= _MOST_FOLDERS:
            return
        yield folder
        if depth < _DEEPEST:
            try:
                with os.scandir(folder) as found:
                    inner = [
                        one.path for one in found if one.name not in _SKIPPED and one.is_dir(follow_symlinks=False)
                    ]
            except OSError:
                continue
            waiting += [(path, depth + 1) for path in sorted(inner)]
