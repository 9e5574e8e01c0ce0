"""What discovery knows of an MCP server: frozen values without behaviour (rank 1, pure). Nothing here ever holds a secret."""

from __future__ import annotations

from dataclasses import dataclass

from ssowatch.model import Problem


@dataclass(frozen=True, slots=True)
class McpServer:
    """One server in one client's config file, and the profile that it is given."""

    client: str
    """The client's id, like `claude-code`."""
    server: str
    """What the file calls it."""
    file: str
    profile: str | None = None
    """None where no file tells it."""
    sign_in: str | None = None
    """The sign-in that it hangs on, by the AWS config as it is now."""
    certain: bool = False
    """The profile's name is written literally in `file`."""
    problem: Problem | None = None
    """Why a renewed token does not help it, or why nobody can tell."""
