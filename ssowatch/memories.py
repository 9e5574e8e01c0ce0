"""The memory files, one per sign-in (an edge).

Rules of this file:
1. A memory is changed under a short lock, by whoever acts, and written before the act that it records.
2. A memory that cannot be read is an empty one: it only costs a repeated notice, never a token.
3. The lock is waited for at most 0.2 s: a stopped process that holds it must not stall the watcher, which simply asks
   again at its next tick.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields
from datetime import datetime, timedelta

import msgspec

from ssowatch import files, paths
from ssowatch.clock import sensible
from ssowatch.model import Life, Lineage, Memory, TokenMemory

_WAIT = 0.2
_LONGEST = timedelta(days=36_600)
"""Of a span that makes sense: a machine without a clock of its own is 60 years off."""


def load(name: str) -> Memory:
    """The memory of the sign-in `name`; an empty one where there is none or it cannot be read."""
    try:
        return _load(name)
    except files.NotReadableError:
        return Memory()


def _load(name: str) -> Memory:
    content = files.read(paths.memory_file(name))
    try:
        known = msgspec.json.decode(content, type=Memory) if content else Memory()
    except (ValueError, RecursionError):  # msgspec's own errors, bad UTF-8, deep nesting
        return Memory()
    parts: tuple[TokenMemory | Lineage | Life, ...] = (known.token, known.lineage, *known.lives)
    return known if all(map(_sensible, parts)) else Memory()


def locked(name: str, wait: float = _WAIT) -> AbstractContextManager[int]:
    """Hold the memory's lock.

    Raises:
        files.BusyError: somebody else holds it.
        OSError: it cannot be made.

    """
    return files.locked(paths.memory_lock(name), wait)


def update(name: str, change: Callable[[Memory], Memory], wait: float = _WAIT) -> Memory:
    """Apply `change` to the memory as it stands now, and write it if it changed.

    Raises:
        files.BusyError: somebody else holds the lock.
        OSError: it cannot be written.

    """
    with locked(name, wait):
        before = load(name)
        after = change(before)
        if after != before:
            write(name, after)
        return after


def write(name: str, memory: Memory) -> None:
    """Write the memory; the caller holds the lock.

    Raises:
        OSError: it cannot be written.

    """
    path = paths.memory_file(name)
    files.private_dir(path.rpartition("/")[0])
    files.replace(path, msgspec.json.encode(memory))


def _sensible(part: TokenMemory | Lineage | Life) -> bool:
    """Every moment can be compared with now, and every span be added to one."""
    values = [getattr(part, field.name) for field in fields(part)]
    spans = (abs(value) <= _LONGEST for value in values if isinstance(value, timedelta))
    return all(sensible(value) for value in values if isinstance(value, datetime)) and all(spans)


class Memories:
    """Looks at memory files again and again, cheaply."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, Memory]] = {}

    def look(self, name: str) -> Memory:
        """The memory as it stands now; parsed again only when its stat changed.

        While there is no reading it (no descriptor is left, say) it is the last one: an empty one has no back-off.
        """
        stat = files.signature(paths.memory_file(name))
        seen = self._seen.get(name)
        if not seen or seen[0] != stat:
            try:
                seen = self._seen[name] = (stat, _load(name))
            except files.NotReadableError:
                return seen[1] if seen else Memory()
        return seen[1]

    def keep_only(self, names: set[str]) -> None:
        """Forget the sign-ins that are configured no longer."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
