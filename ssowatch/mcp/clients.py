"""Where each MCP client keeps its servers (rank 1, pure: a table).

To add a client: its rows here, its name in `names.py`, a sample for a shape that is new in tests/test_mcp_clients.py
(CONTRIBUTING.md, "A client's config format"). The source of each path is in docs/mcp.md; a path without one stays out.

In a pattern `~` is the home directory, `<apps>` where programs keep their data (`~/.config`, on macOS
`~/Library/Application Support`), `<project>` each folder that a client recorded and its parents, `<plugin>` each plugin
of Claude Code, `$NAME` a variable (no such variable, no such file), `*` anything but `/`, and `**` folders at most 10 deep.
The ending tells the syntax: .toml, .yaml, .yml, else JSON with comments. A file counts once, for the first row that has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssowatch.mcp import shapes
from ssowatch.mcp.shapes import Shape


@dataclass(frozen=True, slots=True)
class Place:
    """Files of one client."""

    client: str
    pattern: str
    shape: Shape = shapes.MCP_SERVERS
    agents: tuple[str, ...] = ()
    """Files of Amazon Q's agents: where one exists, this older file counts only if it has `useLegacyMcpJson: true`."""
    elsewhere: str = ""
    """Where its servers run, if that is not this home."""


_CODES = ("Code", "Code - Insiders")
_EDITORS = (*_CODES, "Cursor", "Windsurf")
_Q_AGENTS = "~/.aws/amazonq/cli-agents/*.json"
_Q_PROJECT_AGENTS = "<project>/.amazonq/cli-agents/*.json"
_OPENCODE = ("opencode.json", "opencode.jsonc")

PLACES = (
    Place("claude-code", "~/.claude.json", shapes.claude_code),
    Place("claude-code", "$CLAUDE_CONFIG_DIR/.claude.json", shapes.claude_code),
    Place("claude-code", "<project>/.mcp.json"),
    Place("claude-code", "/etc/claude-code/managed-mcp.json"),
    Place("claude-code", "/Library/Application Support/ClaudeCode/managed-mcp.json"),
    Place("claude-code", "<plugin>/.mcp.json", shapes.plugin),
    Place("claude-code", "<plugin>/.claude-plugin/plugin.json"),
    Place("claude-desktop", "<apps>/Claude/claude_desktop_config.json"),
    Place("cursor", "~/.cursor/mcp.json"),
    Place("cursor", "<project>/.cursor/mcp.json"),
    Place("cursor", "<apps>/Cursor/User/mcp.json", shapes.CURSOR_USER),
    Place("cursor", "<apps>/Cursor/User/settings.json", shapes.CURSOR_USER),
    Place("cursor", "<apps>/Cursor/User/profiles/*/mcp.json", shapes.CURSOR_USER),
    Place("cursor", "~/.cursor/plugins/cache/**/mcp.json", shapes.plugin),
    Place("cursor", "~/.cursor/plugins/local/**/mcp.json", shapes.plugin),
    *(Place("vscode", f"<apps>/{code}/User/mcp.json", shapes.SERVERS) for code in _CODES),
    *(Place("vscode", f"<apps>/{code}/User/profiles/*/mcp.json", shapes.SERVERS) for code in _CODES),
    *(Place("vscode", f"<apps>/{code}/User/settings.json", shapes.EDITOR_SETTINGS) for code in _CODES),
    Place("vscode", "$VSCODE_PORTABLE/user-data/User/mcp.json", shapes.SERVERS),
    Place("vscode", "<project>/.vscode/mcp.json", shapes.SERVERS),
    Place("vscode", "<project>/*.code-workspace", shapes.WORKSPACE),
    Place("vscode", "<project>/.devcontainer/devcontainer.json", shapes.DEV_CONTAINER, elsewhere="the dev container"),
    Place("windsurf", "~/.codeium/windsurf/mcp_config.json"),
    Place("windsurf", "<project>/.windsurf/mcp.json"),
    Place("copilot-cli", "~/.copilot/mcp-config.json"),
    Place("copilot-cli", "$COPILOT_HOME/mcp-config.json"),
    Place("copilot-cli", "<project>/.github/mcp.json"),
    Place("copilot-cli", "~/.copilot/installed-plugins/**/.mcp.json", shapes.plugin),
    Place("amazon-q", _Q_AGENTS),
    Place("amazon-q", _Q_PROJECT_AGENTS),
    Place("amazon-q", "~/.aws/amazonq/default.json"),
    Place("amazon-q", "~/.aws/amazonq/agents/default.json"),
    Place("amazon-q", "<project>/.amazonq/default.json"),
    Place("amazon-q", "<project>/.amazonq/agents/default.json"),
    Place("amazon-q", "~/.aws/amazonq/mcp.json", agents=(_Q_AGENTS,)),
    Place("amazon-q", "<project>/.amazonq/mcp.json", agents=(_Q_AGENTS, _Q_PROJECT_AGENTS)),
    Place("kiro", "~/.kiro/settings/mcp.json", shapes.KIRO),
    Place("kiro", "<project>/.kiro/settings/mcp.json", shapes.KIRO),
    Place("kiro", "~/.kiro/agents/*.json"),
    Place("kiro", "<project>/.kiro/agents/*.json"),
    Place("kiro", "~/.kiro/powers/installed/**/mcp.json", shapes.plugin),
    *(
        Place("cline", f"<apps>/{editor}/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json")
        for editor in _EDITORS
    ),
    *(
        Place("roo", f"<apps>/{editor}/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json")
        for editor in _EDITORS
    ),
    Place("roo", "<project>/.roo/mcp.json"),
    Place("zed", "~/.config/zed/settings.json", shapes.ZED),
    Place("gemini-cli", "~/.gemini/settings.json"),
    Place("gemini-cli", "<project>/.gemini/settings.json"),
    Place("codex", "~/.codex/config.toml", shapes.CODEX),
    Place("codex", "~/.codex/*.config.toml", shapes.CODEX),
    Place("codex", "$CODEX_HOME/config.toml", shapes.CODEX),
    Place("codex", "$CODEX_HOME/*.config.toml", shapes.CODEX),
    Place("codex", "<project>/.codex/config.toml", shapes.CODEX),
    Place("codex", "/etc/codex/config.toml", shapes.CODEX),
    Place("continue", "~/.continue/config.yaml"),
    Place("continue", "~/.continue/config.json"),
    Place("continue", "<project>/.continue/mcpServers/*.yaml"),
    Place("continue", "<project>/.continue/mcpServers/*.json"),
    Place("goose", "~/.config/goose/config.yaml", shapes.GOOSE),
    Place("opencode", "$OPENCODE_CONFIG", shapes.opencode),
    *(
        Place("opencode", f"{folder}/{name}", shapes.opencode)
        for folder in (
            *("~/.config/opencode", "~/.opencode", "$OPENCODE_CONFIG_DIR", "<project>", "<project>/.opencode"),
            *("/etc/opencode", "/Library/Application Support/opencode"),
        )
        for name in _OPENCODE
    ),
)

CLAUDE_SETTINGS = (
    "~/.claude/settings.json",
    "<project>/.claude/settings.json",
    "<project>/.claude/settings.local.json",
    "/Library/Application Support/ClaudeCode/managed-settings.json",
    "/etc/claude-code/managed-settings.json",
)
"""Their `env` is set for Claude Code itself, and so for its servers; a later one wins."""


def known_by(path: str) -> Place | None:
    """The first row whose files end like this one, without the variable part of the pattern."""
    for place in PLACES:
        _, slash, tail = place.pattern.partition("/")
        if tail and path.endswith(slash + tail):
            return place
    return None
