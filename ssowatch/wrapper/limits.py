"""How long an MCP client waits for an answer (rank 1, pure): the one table, and how long a call is held by it.

A client is known by the name it gives itself (`clientInfo.name`; names from apify/mcp-client-capabilities, a collection of
what clients send). Limits are facts of the clients' documentation and issue trackers; where the sources disagree the
shorter one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_MARGIN = 15 * _SECOND
"""The server must be started, asked again and answer within the limit, too."""
_START_MARGIN = 2 * _SECOND


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of one client. `variable` is one of its own, in milliseconds, that changes `call`."""

    names: tuple[str, ...]
    """How its `clientInfo.name` begins, in lower case."""
    call: timedelta
    source: str
    start: timedelta = 10 * _SECOND
    """How long it waits for the answer to `initialize`."""
    variable: str | None = None


TABLE = (
    Client(
        ("claude-code",),
        timedelta(milliseconds=100_000_000),
        "MCP_TOOL_TIMEOUT, 27.8 h for stdio servers; MCP_TIMEOUT 30 s: Claude Code's CHANGELOG and settings",
        start=30 * _SECOND,
        variable="MCP_TOOL_TIMEOUT",
    ),
    Client(("claude-ai",), _MINUTE, "about 60 s, not configurable: anthropics/claude-code#22542", start=_MINUTE),
    Client(("codex", "codex-mcp-client"), _MINUTE, "tool_timeout_sec 60, startup_timeout_sec 10: Codex docs/config.md"),
    Client(("gemini-cli",), 10 * _MINUTE, "timeout 600000 ms: Gemini CLI docs/tools/mcp-server.md"),
    Client(("q-dev-cli", "amazon-q"), 2 * _MINUTE, "timeout 120000 ms: amazon-q-developer-cli docs/agent-format.md"),
    Client(("cline",), _MINUTE, "timeout 60 s, 30 s to 1 h: Cline docs/mcp/configuring-mcp-servers"),
    Client(("roo",), _MINUTE, "timeout 60 s, 30 s to 5 min: Roo Code docs, using-mcp-in-roo"),
    Client(("github-copilot", "copilot"), _MINUTE, "60 s whatever is configured: github/copilot-cli#1535"),
    Client(("opencode",), 30 * _SECOND, "30 s, as its users report"),
)
OTHERS = Client((), _MINUTE, "the TypeScript SDK's default, DEFAULT_REQUEST_TIMEOUT_MSEC = 60000")


def client(name: str | None) -> Client:
    """The row of the client that calls itself so."""
    lowered = (name or "").lower().replace(" ", "-").replace("_", "-")
    return next((row for row in TABLE if lowered.startswith(row.names)), OTHERS)


def call_seconds(name: str | None, environ: Mapping[str, str]) -> float:
    """How long a call may be held, from its arrival to the answer."""
    row = client(name)
    limit = row.call
    said = environ.get(row.variable or "", "")
    if said.isascii() and said.isdigit() and len(said) < 13 and int(said) >= 1000:
        limit = timedelta(milliseconds=int(said))
    return max(limit - _MARGIN, limit / 2).total_seconds()


def start_seconds(name: str | None) -> float:
    """The same for the first request."""
    return (client(name).start - _START_MARGIN).total_seconds()
