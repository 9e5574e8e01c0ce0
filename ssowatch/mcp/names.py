"""The clients, by the id in our JSON and as a person calls them (rank 1, pure; standard library: `status` shows them)."""

from __future__ import annotations

from ssowatch.plain import plain

CLIENTS = {
    "claude-code": "Claude Code",
    "claude-desktop": "Claude Desktop",
    "cursor": "Cursor",
    "vscode": "VS Code",
    "windsurf": "Windsurf",
    "copilot-cli": "Copilot CLI",
    "amazon-q": "Amazon Q",
    "kiro": "Kiro",
    "cline": "Cline",
    "roo": "Roo Code",
    "zed": "Zed",
    "gemini-cli": "Gemini CLI",
    "codex": "Codex",
    "continue": "Continue",
    "goose": "Goose",
    "opencode": "opencode",
    "other": "your own list",
}
"""`other`: a file that `mcp.configs` names, of a kind that no client is known by."""


def called(client: str) -> str:
    """The name of a client; what is no id of ours is shown as it is."""
    return CLIENTS.get(client) or plain(client)
