"""Folders that clients recorded: projects, and Claude Code's plugins (rank 1, pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

_MOST = 1000
_EDITORS = ("Code", "Code - Insiders", "Cursor", "Windsurf", "Kiro")


def _keys_of(name: str) -> Callable[[Any], list[str]]:
    """The keys of a mapping: absolute paths."""

    def read(document: Any) -> list[str]:  # noqa: ANN401 - what a parser gave
        found = document.get(name) if isinstance(document, dict) else None
        return [one for one in list(found)[:_MOST] if isinstance(one, str)] if isinstance(found, dict) else []

    return read


def _folder(document: Any) -> list[str]:  # noqa: ANN401
    """`workspace.json` of VS Code and its kin: a URI. Those of other machines (vscode-remote:) are none of ours."""
    uri = document.get("folder") if isinstance(document, dict) else None
    if not isinstance(uri, str) or not uri.startswith("file:///"):
        return []
    return [unquote(urlsplit(uri).path)]


SOURCES = (
    ("~/.claude.json", _keys_of("projects")),
    ("$CLAUDE_CONFIG_DIR/.claude.json", _keys_of("projects")),
    ("~/.codex/config.toml", _keys_of("projects")),
    ("$CODEX_HOME/config.toml", _keys_of("projects")),
    ("~/.copilot/permissions-config.json", _keys_of("locations")),
    ("$COPILOT_HOME/permissions-config.json", _keys_of("locations")),
    *((f"<apps>/{editor}/User/workspaceStorage/*/workspace.json", _folder) for editor in _EDITORS),
)
"""Pattern, and what it holds."""

INSTALLED_PLUGINS = "~/.claude/plugins/installed_plugins.json"
PLUGINS = (
    "~/.claude/plugins/cache/**/.mcp.json",
    "~/.claude/plugins/cache/**/.claude-plugin/plugin.json",
    "~/.claude/plugins/repos/**/.mcp.json",
    "~/.claude/plugins/repos/**/.claude-plugin/plugin.json",
    "~/.claude/plugins/synced/**/.mcp.json",
    "~/.claude/plugins/synced/**/.claude-plugin/plugin.json",
)
"""Where plugins lie, if nothing tells which are installed. What stands in `marketplaces/` is only on offer."""


def installed(document: Any) -> list[str]:  # noqa: ANN401
    """The folders of installed plugins: `plugins.<name>[].installPath`."""
    plugins = document.get("plugins") if isinstance(document, dict) else None
    installs = (
        [one for many in plugins.values() if isinstance(many, list) for one in many]
        if isinstance(plugins, dict)
        else []
    )
    paths = [one.get("installPath") for one in installs[:_MOST] if isinstance(one, dict)]
    return [path for path in paths if isinstance(path, str) and path.startswith("/") and path.isprintable()]


def plugin_folder(path: str) -> str:
    """The plugin that one of the files of `PLUGINS` belongs to."""
    folder = path.rpartition("/")[0]
    return folder.removesuffix("/.claude-plugin")


def with_parents(folders: list[str], home: str) -> list[str]:
    """Each project and the folders above it, up to the home directory where it lies below that, without the root."""
    all_of_them: dict[str, None] = {}
    for folder in folders[:_MOST]:
        here = folder.rstrip("/") if folder.isprintable() else ""
        while here.startswith("/") and here.count("/") < 64:
            all_of_them[here] = None
            here = "" if here == home else here.rpartition("/")[0]
    return list(all_of_them)
