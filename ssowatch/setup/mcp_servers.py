"""Which MCP servers hang on which sign-in (composition; a step of `setup`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ssowatch import client, files, paths
from ssowatch.mcp import discovery, found, hanging, table
from ssowatch.setup.step import Finding
from ssowatch.world import World


class McpServers:
    """As `ssowatch mcp servers` shows them."""

    title = "MCP servers"

    def look(self, columns: int) -> Iterator[Finding]:
        """The whole table; what it found is kept for the watcher."""
        world = World(recording=False)
        aws = world.aws_config()
        result = discovery.discover(world.settings.mcp, aws)
        with suppress(OSError, files.BusyError):
            found.save(result)
            client.ask("look")
        servers = hanging.hang(result.servers, aws)
        # Lines to copy as they are: the table is laid out for this width already.
        lines = table.table(servers, result.broken, paths.home(), columns - 2).splitlines()
        yield Finding("\n".join(lines))
