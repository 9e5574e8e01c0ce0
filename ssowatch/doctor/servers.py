"""The MCP servers: does a renewed token help them (composition)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ssowatch.doctor.check import Finding, good
from ssowatch.doctor.scene import Scene
from ssowatch.mcp import discovery, hanging
from ssowatch.mcp.model import McpServer
from ssowatch.mcp.names import called
from ssowatch.plain import plain


class McpServers:
    """Each server that uses AWS hangs on a sign-in."""

    name = "mcp_servers"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Those with static keys, unknown profiles and the like; one that is in several files is said once."""
        aws = scene.world.aws_config()
        found = discovery.discover(scene.world.settings.mcp, aws)
        servers = hanging.hang(found.servers, aws)
        yield from _broken(servers) or [good(_count(servers))]
        for one in found.broken:
            yield Finding(
                f"{one.file} {plain(one.message, 400)}: the MCP servers in it are not known here", "mend that file"
            )


def _broken(servers: Iterable[McpServer]) -> list[Finding]:
    said: dict[tuple[str, str, str], McpServer] = {}
    for one in servers:
        # Without a fix there is nothing to do: it runs elsewhere, or is as good as it can be.
        if one.problem and one.problem.fix and one.problem.code != "read_only":
            said.setdefault((one.server, one.client, one.problem.message), one)
    return list(_findings(said.values()))


def _findings(servers: Iterable[McpServer]) -> Iterator[Finding]:
    for one in servers:
        if one.problem:
            who = f"{plain(one.server, 60)} ({called(one.client)}, {one.file})"
            yield Finding(f"{who}: {one.problem.message}", one.problem.fix)


def _count(servers: tuple[McpServer, ...]) -> str:
    known = len({(one.server, one.client) for one in servers if one.sign_in})
    return (
        f"{known} MCP server{'s hang' if known > 1 else ' hangs'} on a sign-in"
        if known
        else "no MCP server hangs on a sign-in"
    )
