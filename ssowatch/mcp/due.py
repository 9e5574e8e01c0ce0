"""Whether to look for MCP servers again, by stats alone (composition; light, because the watcher asks it)."""

from __future__ import annotations

import os

from ssowatch import files, paths
from ssowatch.mcp.clients import PLACES
from ssowatch.mcp.model import Found
from ssowatch.mcp.places import Where
from ssowatch.settings import Mcp


def asked(mcp: Mcp) -> tuple[str, ...]:
    """What a config asks for, as `Found.asked` has it."""
    return (str(mcp.discover), *mcp.configs)


def due(mcp: Mcp, last: Found | None) -> bool:
    """Whether looking may find something else than `last`. Nobody looks at all where no known file is there."""
    if not mcp.discover and not mcp.configs:
        return False
    if last is None:
        return bool(mcp.configs) or (mcp.discover and _anything())
    if last.asked != asked(mcp):
        return True
    return any(files.signature(path) != stat for path, stat in last.seen.items())


def _anything() -> bool:
    where = Where(paths.home(), os.environ)
    fixed = (place.pattern for place in PLACES if not place.pattern.startswith(("<project>", "<plugin>")))
    found = (where.path(pattern) for pattern in fixed if "*" not in pattern)
    return any(path and os.path.exists(path) for path in found)  # noqa: PTH110 - a stat
